"""What the receiver writes down, and what is read from it after it was killed."""

from pathlib import Path

from chaos.history import CUT, Call, Pen, read


def test_a_call_has_its_beginning_its_end_and_its_answer(tmp_path: Path) -> None:
    pen = Pen(tmp_path / "history", now=1.0)
    first = pen.begin(run="r1", job="red/a", at=2.0)
    second = pen.begin(run="r2", job="red/b", at=3.0)
    pen.end(second, status=500, at=4.0)
    pen.end(first, status=200, at=5.0)
    assert read(tmp_path / "history") == [Call("r1", "red/a", 2.0, 5.0, 200), Call("r2", "red/b", 3.0, 4.0, 500)]


def test_what_was_open_when_the_receiver_was_killed_is_cut(tmp_path: Path) -> None:
    Pen(tmp_path / "history", now=1.0).begin(run="r1", job="red/a", at=2.0)
    pen = Pen(tmp_path / "history", now=9.0)
    pen.end(pen.begin(run="r1", job="red/a", at=10.0), status=200, at=11.0)
    pen.begin(run="r2", job="red/a", at=12.0)
    assert read(tmp_path / "history") == [
        Call("r1", "red/a", 2.0, 9.0, CUT, died_with_us=True),
        Call("r1", "red/a", 10.0, 11.0, 200),
        Call("r2", "red/a", 12.0, 12.0, CUT),
    ]


def test_half_a_line_spoils_no_other(tmp_path: Path) -> None:
    file = tmp_path / "history"
    pen = Pen(file, now=1.0)
    pen.end(pen.begin(run="r1", job="red/a", at=2.0), status=200, at=3.0)
    with file.open("a") as torn:
        torn.write('{"call": "7-1", "run"')
    pen = Pen(file, now=4.0)
    pen.end(pen.begin(run="r2", job="red/a", at=5.0), status=200, at=6.0)
    assert [call.run for call in read(file)] == ["r1", "r2"]
