"""The hub's manifest key, from the file to every reader of the signed directory."""

import json

from broker import hub_word
from broker.manifest_post import manifest_signer
from tests.integration.operations.desk import HEALTH, LA, POLICE, Office
from tests.support.registry import member_of


def enter(office: Office, name: str) -> int:
    """Make a key if there is none of that name, have it entered, and give the exit code."""
    file = office.folder / name
    if not file.exists():
        assert office.run("directory", "key", str(file)).exit_code == 0
    return office.run("directory", "hub-key", office.registry.source, f"{file}.pub").exit_code


def test_a_hubs_key_is_read_by_every_partner_out_of_the_signed_directory(office: Office) -> None:
    """Made on the hub, entered by the registrar's threshold, found by its kid; and it outlives the next enrolment."""
    assert enter(office, "manifests") == 0
    public = hub_word.public_of(manifest_signer(office.folder / "manifests"))
    directory = office.publish(LA, POLICE).current()
    assert [(key.kid, key.public) for key in directory.hub_keys] == [(hub_word.kid_of(public), public)]
    assert office.enrol(POLICE, LA).exit_code == 0
    assert office.publish(LA, POLICE).current().hub_keys == directory.hub_keys


def test_a_new_key_of_the_hub_stands_beside_the_old_one_until_that_is_over(office: Office) -> None:
    """What was signed under the old one may still be on its way."""
    assert [enter(office, name) for name in ("first", "second", "second")] == [0, 0, 0]
    assert len(office.publish(LA, POLICE).current().hub_keys) == 2


def test_a_list_of_members_takes_no_key_of_the_hubs_away(office: Office) -> None:
    """The attack by mistake: a members file without the hub's keys, after which no manifest is believed."""
    assert office.run("directory", "key", str(office.folder / "manifests")).exit_code == 0
    assert (
        office.run("directory", "hub-key", office.registry.source, str(office.folder / "manifests.pub")).exit_code == 0
    )
    listed = office.folder / "members.toml"
    rows = [
        f'{key} = "{value}"'
        for key, value in member_of(office.parties[HEALTH]).model_dump(mode="json").items()
        if isinstance(value, str)
    ]
    listed.write_text("\n".join(["[[members]]", *rows, 'checked_by = ["registrar-1", "registrar-2"]']))
    done = office.run("directory", "members", office.registry.source, str(listed))
    assert done.exit_code == 0, done.output
    assert len(office.publish(HEALTH).current().hub_keys) == 1


def test_a_file_that_is_no_ed25519_key_is_refused(office: Office) -> None:
    """With its reason, and nothing is staged."""
    key = {"keyid": "x", "keytype": "rsa", "scheme": "rsassa-pss-sha256", "keyval": {"public": "x"}}
    (office.folder / "rsa").touch()
    (office.folder / "rsa.pub").write_text(json.dumps(key))
    assert enter(office, "rsa") == 1
