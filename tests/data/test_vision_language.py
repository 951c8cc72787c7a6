"""Other people's folders: what is read, what is left out and said so, where places end up."""

import json
import logging

import numpy as np
import pytest

from sayact.data.vision_language import store as store_file
from sayact.data.vision_language.fitting import fit
from sayact.data.vision_language.hub_datasets import open_reader
from sayact.data.vision_language.questions import CAPTION_PROMPT, Skipped
from sayact.data.vision_language.source import VisionLanguage
from sayact.schema.errors import BrokenDatasetError, SayactError, UnknownNameError
from sayact.testing import TINY_IMAGES
from sayact.testing.tiny_rt2 import tiny_text_processor
from small_web import SIZE, colours, picture, store, write_tar, write_web

CAPTION = {"image": "a.png", "caption": "a dog"}


def asked(opened):
    """(question, answer) of every row."""
    return [
        (opened.texts[q], opened.texts[a])
        for q, a in zip(opened.question, opened.answer, strict=True)
    ]


def test_shards_are_read_whole_and_in_order(tmp_path):
    opened = store(write_web(tmp_path / "web"), tmp_path / "cache")
    assert opened.pictures.shape == (20, *TINY_IMAGES.shrunk, 3)
    assert len(opened) == 40
    assert asked(opened)[2] == ("what is picture 2?", "number 2")
    assert colours(opened)[:3] == [40, 54, 68]
    assert opened.scenes == ("page", "table")
    assert opened.kinds == ("vqa", "pointing")
    assert np.isnan(opened.points_of(1)[0]).all()
    assert opened.points_of(1)[1].tolist() == [0.25, 0.5]
    assert opened.skipped == {}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"0.jpg": b"", "0.json": b'{"question": "a?", "answer": "b"}'}, ("a?", "b")),
        ({"0.jpg": b"", "0.txt": b"a dog\n"}, (CAPTION_PROMPT, "a dog")),
        ({"0.png": b"", "0.txt": b"a dog", "0.json": b'{"url": "x"}'}, (CAPTION_PROMPT, "a dog")),
        ({"0.jpg": b"", "0.json": b'{"caption": "a cat"}'}, (CAPTION_PROMPT, "a cat")),
        ({"a/0.JPG": b"", "a/0.json": b'{"question": "n?", "answer": 3}'}, ("n?", "3")),
    ],
)
def test_forms_of_a_record(tmp_path, members, expected):
    kind = {"jpg": "JPEG", "png": "PNG"}
    filled = {
        name: content or picture(1, kind=kind[name[-3:].lower()])
        for name, content in members.items()
    }
    write_tar(tmp_path / "web" / "0.tar", filled)
    assert asked(store(tmp_path / "web", tmp_path / "cache")) == [expected]


BAD = {
    "missing image": {"9.json": b'{"question": "a?", "answer": "b"}'},
    "image that cannot be read": {"9.png": b"no", "9.json": b'{"question": "a?", "answer": "b"}'},
    "empty answer or question": {"9.png": picture(9), "9.json": b'{"question": "a?"}'},
    "broken tar member or record": {"9.png": picture(9), "9.json": b"{"},
    "image without a question": {"9.png": picture(9)},
    "place without a point in 0…1": {
        "9.png": picture(9),
        "9.json": b'{"question": "a?", "answer": "<p0>", "points": [[2, 0]]}',
    },
}


@pytest.mark.parametrize("reason", BAD)
def test_what_cannot_be_used_is_counted_or_an_error(tmp_path, reason, caplog):
    folder = write_web(tmp_path / "web", pictures=4)
    write_tar(folder / "bad.tar", BAD[reason])
    with caplog.at_level(logging.WARNING):
        opened = store(folder, tmp_path / "cache")
    assert len(opened.pictures) == 4
    assert opened.skipped == {reason: 1}
    assert f"left out 1 × {reason}" in caplog.text
    # A store that left something out does not serve a strict run.
    with pytest.raises(BrokenDatasetError, match=r"bad\.tar/9.*--strict"):
        store(folder, tmp_path / "cache", strict=True)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"question": "a?", "answer": ["b", "c"]}, "broken tar member or record"),
        ({"question": "half \ud800?", "answer": "b"}, "broken tar member or record"),
        ({"question": "a?", "answer": "b", "points": 5}, "place without a point in 0…1"),
        ({"questions": []}, "image without a question"),
    ],
)
def test_records_of_another_form_are_counted(tmp_path, content, reason):
    folder = write_web(tmp_path / "web", pictures=4)
    odd = {"9.png": picture(9), "9.json": json.dumps(content).encode()}
    write_tar(folder / "odd.tar", odd)
    opened = store(folder, tmp_path / "cache")
    assert len(opened.pictures) == 4
    assert opened.skipped == {reason: 1}


@pytest.mark.parametrize("cut", [0, 300, 900])
def test_a_shard_that_was_cut_short_keeps_what_is_whole(tmp_path, cut):
    """Between two members, in a header, in a member."""
    folder = write_web(tmp_path / "web", pictures=12)
    shard = folder / "000001.tar"
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2 + cut])
    opened = store(folder, tmp_path / "cache")
    assert 6 < len(opened.pictures) < 12
    assert opened.skipped["broken tar member or record"] == 1


def test_a_store_is_built_once_until_something_changes(tmp_path, monkeypatch):
    folder = write_web(tmp_path / "web", pictures=4)
    first = store(folder, tmp_path / "cache")
    built = []
    real = store_file._fitted
    monkeypatch.setattr(store_file, "_fitted", lambda *given: built.append(1) or real(*given))
    assert asked(store(folder, tmp_path / "cache")) == asked(first)
    assert built == []
    write_tar(folder / "more.tar", {"5.png": picture(5), "5.txt": b"five"})
    assert len(store(folder, tmp_path / "cache").pictures) == 5
    assert built == [1]


def test_a_folder_without_pictures_says_what_could_be_there(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(BrokenDatasetError, match=r"\*\.tar shards.*metadata\.jsonl.*parquet"):
        open_reader(tmp_path)
    with pytest.raises(BrokenDatasetError, match="is no folder"):
        open_reader(tmp_path / "absent")


def test_an_image_folder(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.png").write_bytes(picture(3))
    rows = [
        {"file_name": "a.png", "question": "what?", "answer": "blue"},
        {"file_name": "b.png", "question": "what?", "answer": "gone"},
        {"file_name": "a.png", "caption": "a colour"},
    ]
    lines = [json.dumps(row) for row in rows]
    content = "\n".join([*lines, "{", "[]"]).encode()
    (folder / "metadata.jsonl").write_bytes(content + b'\n{"file_name": "\xff.png"}\n')
    opened = store(folder, tmp_path / "cache")
    assert asked(opened) == [("what?", "blue"), (CAPTION_PROMPT, "a colour")]
    assert opened.skipped == {"missing image": 1, "broken tar member or record": 3}


def test_a_saved_dataset_and_its_parquet(tmp_path):
    datasets = pytest.importorskip("datasets")
    columns = {
        "image": [{"bytes": picture(i), "path": None} for i in range(3)],
        "question": ["a?", "b?", ""],
        "answer": ["1", "2", "3"],
    }
    features = datasets.Features(
        image=datasets.Image(), question=datasets.Value("string"), answer=datasets.Value("string")
    )
    saved = datasets.Dataset.from_dict(columns, features=features)
    saved.save_to_disk(tmp_path / "saved")
    datasets.DatasetDict(test=saved.select([2]), train=saved).save_to_disk(tmp_path / "splits")
    (tmp_path / "parquet").mkdir()
    saved.to_parquet(tmp_path / "parquet" / "0.parquet")
    for name in ("saved", "splits", "parquet"):
        opened = store(tmp_path / name, tmp_path / f"cache {name}")
        assert asked(opened) == [("a?", "1"), ("b?", "2")]
        assert colours(opened) == [40, 47]
        assert opened.skipped == {"empty answer or question": 1}


def test_columns_of_other_names_are_an_error(tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_dict({"img": ["x"], "text": ["y"]}).save_to_disk(tmp_path / "saved")
    with pytest.raises(BrokenDatasetError, match="the columns img, text; it needs `image`"):
        store(tmp_path / "saved", tmp_path / "cache")


@pytest.mark.parametrize("size", [SIZE, (72, 128), (40, 40), (24, 100)])
def test_other_sizes_are_letterboxed_and_places_move_along(size):
    """A white dot, before and after."""
    from io import BytesIO

    from PIL import Image

    drawn = np.zeros((*size, 3), np.uint8)
    row, column = size[0] // 4, size[1] * 3 // 4
    reach = max(1, min(size) // 8)
    drawn[row - reach : row + reach, column - reach : column + reach] = 255
    buffer = BytesIO()
    Image.fromarray(drawn).save(buffer, "PNG")
    shrunk, moved = fit(buffer.getvalue(), TINY_IMAGES)
    assert shrunk.shape == (*TINY_IMAGES.shrunk, 3)
    x, y = moved((column / size[1], row / size[0]))
    rows, columns = np.nonzero(shrunk[..., 0] > 127)
    height, width = TINY_IMAGES.shrunk
    assert (columns.mean() + 0.5) / width == pytest.approx(x, abs=0.6 / width)
    assert (rows.mean() + 0.5) / height == pytest.approx(y, abs=0.6 / height)


def source(tmp_path, **options):
    opened = store(write_web(tmp_path / "web", 100), tmp_path / "cache")
    return VisionLanguage(opened, tiny_text_processor(), **{"context": 200, **options})


def test_the_last_pictures_are_never_learned_from(tmp_path):
    web = source(tmp_path, held_out=0.1)
    rows = np.concatenate([group.rows for group in web.groups])
    assert len(web) == 180
    assert web.store.picture[rows].max() < 90
    assert web.store.picture[web.held_out].min() == 90
    assert len(web.held_out_rows("table", "pointing", most=4)) == 4
    scenes = {(scene, kind) for scene in ("page", "table") for kind in ("vqa", "pointing")}
    assert set(web.held_out_kinds()) == scenes


def test_places_follow_the_crop(tmp_path, rng):
    """The crop's own pixels know where it was cut: here the whole slack is tried."""
    web = source(tmp_path, kinds={"pointing": 1.0})
    row = int(web.groups[0].rows[0])
    x, y = web.store.points_of(row)[1]
    (height, width), (h, w) = TINY_IMAGES.shrunk, TINY_IMAGES.crop
    for top, left in ((0, 0), TINY_IMAGES.slack):
        point = web.example(row, np.array([top, left])).points[1]
        assert point == pytest.approx([(x * width - left) / w, (y * height - top) / h], abs=1e-5)
    answer = tiny_text_processor().places.read(
        tiny_text_processor().tokenizer.decode(web.example(row).answer)
    )
    assert answer[0] == pytest.approx(tuple(web.example(row).points[1]), abs=1 / 64)


def test_a_place_outside_the_crop_counts_at_its_edge(tmp_path):
    content = {"question": "q?", "answer": "<p0>", "points": [[0.0, 1.0]]}
    write_tar(
        tmp_path / "web" / "0.tar", {"0.png": picture(0), "0.json": json.dumps(content).encode()}
    )
    opened = store(tmp_path / "web", tmp_path / "cache")
    web = VisionLanguage(opened, tiny_text_processor(), context=99, held_out=0.0)
    assert web.example(0, np.array(TINY_IMAGES.slack)).points[0].tolist() == [0.0, 1.0]


def test_kinds_are_drawn_by_their_weights(tmp_path, rng):
    web = source(tmp_path, kinds={"pointing": 3.0, "vqa": 1.0})
    drawn = web.draw(rng, 800)
    assert np.mean([np.isfinite(e.points).any() for e in drawn]) == pytest.approx(0.75, abs=0.05)


def test_a_language_can_be_chosen(tmp_path, rng):
    web = source(tmp_path, languages=["de"], held_out=0.0)
    assert len(web) == 25
    with pytest.raises(UnknownNameError, match="unknown language 'nl'"):
        source(tmp_path, languages=["nl"])


def test_kinds_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="pointing"):
        source(tmp_path, kinds={"pinting": 1.0})
    with pytest.raises(SayactError, match="above zero"):
        source(tmp_path, kinds={"pointing": 0.0})


def test_questions_longer_than_the_context_are_left_out(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        web = source(tmp_path, context=30, held_out=0.0)
    assert 0 < len(web) < 200
    assert f"web: left out {200 - len(web)} × more tokens than the context" in caplog.text
    with pytest.raises(BrokenDatasetError, match="30 fit"):
        source(tmp_path, context=30, strict=True)


def test_an_answer_may_list_many_places(tmp_path):
    content = {"question": "where?", "answer": "<p70>", "points": [[0.5, 0.5]] * 71}
    write_tar(
        tmp_path / "many" / "0.tar",
        {"0.png": picture(0), "0.json": json.dumps(content).encode()},
    )
    opened = store(tmp_path / "many", tmp_path / "cache")
    web = VisionLanguage(opened, tiny_text_processor(), context=200, held_out=0.0)
    assert len(web) == 1


def test_the_summary_names_the_most_frequent_first():
    skipped = Skipped(where="web")
    assert skipped.summary() == ""
    for reason in ("a", "b", "b"):
        skipped.add(reason, "x")
    assert skipped.summary() == "web: left out 2 × b, 1 × a"
