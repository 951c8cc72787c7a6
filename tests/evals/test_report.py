"""The page stands alone and says what was measured."""

import re
from dataclasses import replace
from pathlib import Path

from handmade import made
from sayact.evals.drawings import Curve, curve, interval_bar
from sayact.evals.report import write_report
from sayact.evals.videos import film_path


def test_the_page_is_self_contained(tmp_path: Path) -> None:
    evaluation = replace(
        made({"separate": 4}, policy="runs/nano/checkpoint"), beside=(made({"separate": 1}),)
    )
    film = film_path(tmp_path / "videos", evaluation.policy, "separate", 0)
    film.parent.mkdir()
    film.write_bytes(b"film")
    lesson = Curve(title="loss", points=[(0.0, 2.0), (10.0, 1.0)])
    page = write_report(evaluation, tmp_path, curves=[lesson]).read_text()
    assert "<h1>nano</h1>" in page
    assert '<div class="number">40<small> %</small></div>' in page
    assert "data:video/mp4;base64,ZmlsbQ==" in page
    assert "<b>loss</b> 1 at the end" in page
    assert not re.search(r'(src|href)="(?!data:)', page), "nothing is loaded from elsewhere"
    assert "http" not in page
    assert (tmp_path / "evaluation.json").is_file()


def test_instructions_cannot_break_the_page(tmp_path: Path) -> None:
    evaluation = made({"separate": 4}, policy="<script>")
    assert "<script>" not in write_report(evaluation, tmp_path).read_text()


def test_bars_stay_on_their_track() -> None:
    for rate, interval in ((0.0, (0.0, 0.2)), (1.0, (0.8, 1.0))):
        places = re.findall(r' x="([\d.]+)" width="([\d.]+)"', interval_bar(rate, interval))
        assert all(float(x) >= 0 and float(x) + float(w) <= 100 for x, w in places)


def test_a_curve_is_drawn_within_its_canvas() -> None:
    drawn = curve(
        Curve(title="success", points=[(0.0, 0.0), (5.0, 0.5), (9.0, 1.0)], percent=True, top=1.0)
    )
    points = re.search(r'points="([^"]+)"', drawn)
    assert points is not None
    xs, ys = zip(*(map(float, p.split(",")) for p in points[1].split()), strict=True)
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys, reverse=True), "up is more"
    assert "100 %" in drawn
