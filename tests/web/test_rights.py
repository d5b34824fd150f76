"""Roles and the data-processing rule, as pure decisions (UM-02)."""

from datetime import date

from vm_ari.domain.portal_rights import Feature, Rights, Role

RIGHTS = Rights(
    operators=frozenset({"olga"}),
    administrators={"north": frozenset({"adam"}), "south": frozenset()},
    agreements={"north": date(2026, 1, 15)},
    may_change=frozenset({Feature.PIN}),
)


def test_everybody_has_one_role() -> None:
    roles = {name: RIGHTS.role_of(name) for name in ("olga", "adam", "anna", "")}
    assert roles == {
        "olga": Role.OPERATOR,
        "adam": Role.ADMINISTRATOR,
        "anna": Role.USER,
        "": Role.USER,
    }


def test_operators_act_only_where_an_agreement_is_recorded() -> None:
    assert RIGHTS.may_act_in("olga", "")
    assert RIGHTS.may_act_in("olga", "north")
    assert not RIGHTS.may_act_in("olga", "south")
    assert not RIGHTS.may_act_in("olga", "unknown")


def test_administrators_act_in_their_own_organisation_only() -> None:
    assert RIGHTS.may_act_in("adam", "north")
    assert not RIGHTS.may_act_in("adam", "south")
    assert not RIGHTS.may_act_in("adam", "")
    assert not RIGHTS.may_act_in("anna", "north")
    nameless = Rights(administrators={"": frozenset({"adam"})})
    assert not nameless.may_act_in("adam", "")


def test_the_site_decides_what_users_change() -> None:
    assert RIGHTS.may_change_own(Feature.PIN)
    assert not RIGHTS.may_change_own(Feature.PHONES)
    assert RIGHTS.may_change_own(None)
