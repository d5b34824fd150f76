"""docs/mistakes.md: enough mistakes, each with a next step, and each made by a test."""

from pathlib import Path

from tests.mistakes import rows

TESTS = Path(__file__).parent.parent
MAKERS = ("cli/test_mistakes.py", "cli/test_mistakes_of_servers.py", "system/test_mistakes.py")


def test_every_line_of_the_list_is_said_by_a_test() -> None:
    makers = "".join((TESTS / name).read_text(encoding="utf-8") for name in MAKERS)
    listed = [title for section in rows().values() for title in section]
    assert len(listed) == len(set(listed)) >= 30
    assert [title for title in listed if f'"{title}"' not in makers] == []


def test_every_line_says_what_to_do_and_nothing_of_this_machine() -> None:
    for section in rows().values():
        for title, line in section.items():
            assert line.what, title
            assert line.todo, title
            assert "/tmp" not in line.what + line.todo, title
            assert "Traceback" not in line.what, title
