"""Whose mailbox is watched where there is not room for everybody."""

from vm_ari.adapters.watching.idle_choice import LATELY, IdleChoice
from vm_ari.domain.messages import Counts

LIT, DARK = Counts(new_voice=1), Counts()


def choice(**counts: Counts) -> IdleChoice[str]:
    made = IdleChoice[str]()
    for user_id, count in counts.items():
        made.at(user_id, "mail1")
        made.counted(user_id, count, 0.0)
    return made


def test_lamps_that_are_on_come_first_then_what_changed_lately_then_any() -> None:
    made = choice(anna=DARK, bert=LIT, cleo=DARK, dora=Counts(new_fax=2))
    made.counted("cleo", Counts(heard_voice=1), 100.0)
    assert set(made.chosen("mail1", 2, (), 101.0)) == {"bert", "dora"}
    assert set(made.chosen("mail1", 3, (), 101.0)) == {"bert", "dora", "cleo"}
    assert set(made.chosen("mail1", 9, (), 101.0)) == {"anna", "bert", "cleo", "dora"}
    assert made.chosen("mail1", 0, (), 101.0) == []


def test_each_server_has_its_own_room() -> None:
    made = choice(anna=LIT, bert=LIT)
    made.at("cleo", "mail2")
    assert list(made.chosen("mail2", 1, (), 0.0)) == ["cleo"]


def test_who_is_watched_stays_where_nothing_else_decides() -> None:
    made = choice(anna=LIT, bert=LIT, cleo=LIT)
    for watched in ("anna", "bert", "cleo"):
        assert list(made.chosen("mail1", 1, {watched}, 5000.0)) == [watched]


def test_long_ago_is_not_lately() -> None:
    made = choice(anna=DARK, bert=DARK)
    made.counted("anna", Counts(heard_voice=1), 100.0)
    assert list(made.chosen("mail1", 1, {"bert"}, 101.0)) == ["anna"]
    assert list(made.chosen("mail1", 1, {"bert"}, 101.0 + LATELY)) == ["bert"]


def test_who_is_gone_is_forgotten() -> None:
    made = choice(anna=LIT, bert=LIT)
    made.meet({"bert"})
    assert list(made.chosen("mail1", 9, (), 0.0)) == ["bert"]
    assert not made.knows("anna")


def test_only_other_counts_matter() -> None:
    made = choice(anna=LIT)
    assert not made.counted("anna", LIT, 1.0)
    assert made.counted("anna", DARK, 2.0)
