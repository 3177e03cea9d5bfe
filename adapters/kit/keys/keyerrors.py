"""What a keyring refuses to do; each docstring is what the operator reads, and says what to do instead."""


class NoSigningKey(Exception):
    """The keyring has no signing key that is valid now: run `mash keys rotate`, then publish the record."""


class AlreadyThere(Exception):
    """The folder already holds a keyring; it is not overwritten."""


class NoSuchKey(Exception):
    """The keyring has no key with this id."""


class NoSuchRole(Exception):
    """A role must be new, be named in small letters, and open at least one of the sections 1 to 3."""


class NotToBeRevoked(Exception):
    """An identity key is replaced, not revoked: run mash keys renew-identity, and ring the registrar."""


class NotToBePublished(Exception):
    """Partners would refuse this: a name has 1 to 80 characters, a duty telephone 1 to 40."""
