"""The tables of the Standard Safeguarding Dataset that this adapter reads, with the columns of the data model.

Column names and order are those of the data model; the first column of each entry is the primary key. Values are
taken as the driver gives them and read by `ssd.py`, since councils load dates as dates, as timestamps and as text.
"""

from collections.abc import Mapping
from typing import Final

TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "ssd_person": (
        "pers_person_id",
        "pers_forename",
        "pers_surname",
        "pers_sex",
        "pers_gender",
        "pers_ethnicity",
        "pers_dob",
        "pers_common_child_id",
        "pers_legacy_id",
        "pers_upn_unknown",
        "pers_send_flag",
        "pers_expected_dob",
        "pers_death_date",
        "pers_is_mother",
        "pers_nationality",
    ),
    "ssd_family": (
        "fami_table_id",
        "fami_family_id",
        "fami_person_id",
    ),
    "ssd_address": (
        "addr_table_id",
        "addr_address_json",
        "addr_person_id",
        "addr_address_type",
        "addr_address_start_date",
        "addr_address_end_date",
        "addr_address_postcode",
    ),
    "ssd_mother": (
        "moth_table_id",
        "moth_person_id",
        "moth_childs_person_id",
        "moth_childs_dob",
    ),
    "ssd_linked_identifiers": (
        "link_table_id",
        "link_person_id",
        "link_identifier_type",
        "link_identifier_value",
        "link_valid_from_date",
        "link_valid_to_date",
    ),
    "ssd_contacts": (
        "cont_contact_id",
        "cont_person_id",
        "cont_contact_date",
        "cont_contact_source_code",
        "cont_contact_source_desc",
        "cont_contact_outcome_json",
    ),
    "ssd_early_help_episodes": (
        "earl_episode_id",
        "earl_person_id",
        "earl_episode_start_date",
        "earl_episode_end_date",
        "earl_episode_reason",
        "earl_episode_end_reason",
        "earl_episode_organisation",
        "earl_episode_worker_id",
    ),
    "ssd_cin_episodes": (
        "cine_referral_id",
        "cine_person_id",
        "cine_referral_date",
        "cine_cin_primary_need_code",
        "cine_referral_source_code",
        "cine_referral_source_desc",
        "cine_referral_outcome_json",
        "cine_referral_nfa",
        "cine_close_reason",
        "cine_close_date",
        "cine_referral_team",
        "cine_referral_worker_id",
    ),
    "ssd_cin_assessments": (
        "cina_assessment_id",
        "cina_person_id",
        "cina_referral_id",
        "cina_assessment_start_date",
        "cina_assessment_child_seen",
        "cina_assessment_auth_date",
        "cina_assessment_outcome_json",
        "cina_assessment_outcome_nfa",
        "cina_assessment_team",
        "cina_assessment_worker_id",
    ),
    "ssd_assessment_factors": (
        "cinf_table_id",
        "cinf_assessment_id",
        "cinf_assessment_factors_json",
    ),
    "ssd_cp_plans": (
        "cppl_cp_plan_id",
        "cppl_referral_id",
        "cppl_icpc_id",
        "cppl_person_id",
        "cppl_cp_plan_start_date",
        "cppl_cp_plan_end_date",
        "cppl_cp_plan_initial_category",
        "cppl_cp_plan_ola",
        "cppl_cp_plan_latest_category",
    ),
    "ssd_cla_episodes": (
        "clae_cla_episode_id",
        "clae_person_id",
        "clae_cla_episode_start_date",
        "clae_cla_episode_start_reason",
        "clae_cla_primary_need_code",
        "clae_cla_episode_ceased_date",
        "clae_cla_episode_ceased_reason",
        "clae_cla_id",
        "clae_referral_id",
        "clae_cla_placement_id",
        "clae_entered_care_date",
        "clae_cla_last_iro_contact_date",
    ),
}

# Without these a table cannot be read for what it is needed for; any other column may be missing.
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "ssd_person": (
        *("pers_person_id", "pers_forename", "pers_surname", "pers_sex", "pers_dob", "pers_common_child_id"),
        *("pers_expected_dob", "pers_death_date"),
    ),
    "ssd_family": ("fami_family_id", "fami_person_id"),
    "ssd_address": ("addr_table_id", "addr_person_id", "addr_address_json", "addr_address_postcode"),
    "ssd_mother": ("moth_person_id", "moth_childs_person_id"),
    "ssd_linked_identifiers": ("link_person_id", "link_identifier_type", "link_identifier_value"),
    "ssd_contacts": (
        *("cont_contact_id", "cont_person_id", "cont_contact_date", "cont_contact_source_code"),
        "cont_contact_source_desc",
    ),
    "ssd_early_help_episodes": (
        *("earl_episode_id", "earl_person_id", "earl_episode_start_date", "earl_episode_end_date"),
        *("earl_episode_reason", "earl_episode_end_reason"),
    ),
    "ssd_cin_episodes": ("cine_referral_id", "cine_person_id", "cine_referral_date", "cine_close_date"),
    "ssd_cin_assessments": (
        *("cina_assessment_id", "cina_person_id", "cina_referral_id", "cina_assessment_start_date"),
        "cina_assessment_auth_date",
    ),
    "ssd_assessment_factors": ("cinf_assessment_id", "cinf_assessment_factors_json"),
    "ssd_cp_plans": (
        *("cppl_cp_plan_id", "cppl_person_id", "cppl_cp_plan_start_date", "cppl_cp_plan_end_date", "cppl_cp_plan_ola"),
    ),
    "ssd_cla_episodes": (
        *("clae_cla_episode_id", "clae_person_id", "clae_cla_episode_start_date", "clae_cla_episode_ceased_date"),
    ),
}
