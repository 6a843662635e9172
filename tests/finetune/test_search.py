import json
import math

import pytest
import torch
from safetensors.torch import save_file

from llmcourse.finetune.search import BagOfWords, Hit, Index, mean_reciprocal_rank, recall_at


def slow_cosine(one, other):
    dot = sum(a * b for a, b in zip(one, other, strict=True))
    return dot / math.sqrt(sum(a * a for a in one)) / math.sqrt(sum(b * b for b in other))


@pytest.fixture
def vectors():
    return torch.randn(20, 5)


@pytest.fixture
def index(vectors):
    return Index([f"text {i}" for i in range(20)], vectors)


def test_search_gives_the_nearest_as_all_cosines_sorted_do(index, vectors):
    queries = torch.randn(4, 5) * 30
    for query, hits in zip(queries.tolist(), index.search(queries, 3), strict=True):
        nearest = sorted(range(20), key=lambda i: -slow_cosine(query, vectors[i].tolist()))[:3]
        assert [hit.text for hit in hits] == [f"text {i}" for i in nearest]
        assert [hit.cosine for hit in hits] == pytest.approx(
            [slow_cosine(query, vectors[i].tolist()) for i in nearest], abs=1e-5
        )


def test_neither_the_length_of_a_vector_nor_that_of_a_question_counts(vectors):
    queries = torch.randn(3, 5)
    plain, longer = Index(["a"] * 20, vectors), Index(["a"] * 20, vectors * torch.rand(20, 1) * 9)
    torch.testing.assert_close(longer.cosines(queries * 7), plain.cosines(queries))


def test_of_equals_the_first_comes_first_and_k_beyond_the_end_gives_all():
    index = Index(["x", "first", "second"], torch.tensor([[0.0, 1.0], [2.0, 0.0], [3.0, 0.0]]))
    query = torch.tensor([[1.0, 0.0]])
    assert index.search(query, 9) == [[Hit("first", 1.0), Hit("second", 1.0), Hit("x", 0.0)]]
    assert index.ranks(query.expand(3, -1), torch.tensor([0, 1, 2])).tolist() == [3, 1, 2]


def test_ranks_are_the_places_in_a_full_search(index):
    queries, wanted = torch.randn(8, 5), torch.arange(8)
    found = index.search(queries, 20)
    expected = [1 + [hit.text for hit in found[i]].index(f"text {i}") for i in range(8)]
    assert index.ranks(queries, wanted).tolist() == expected


def test_recall_and_reciprocal_rank_by_hand():
    ranks = torch.tensor([1, 2, 4, 10])
    assert [recall_at(ranks, k) for k in (1, 2, 3, 4, 10)] == [0.25, 0.5, 0.5, 0.75, 1.0]
    assert mean_reciprocal_rank(ranks) == pytest.approx((1 + 1 / 2 + 1 / 4 + 1 / 10) / 4)


def test_a_saved_index_finds_the_same(index, tmp_path):
    queries = torch.randn(4, 5)
    index.save(tmp_path / "stories.index")
    loaded = Index.load(tmp_path / "stories.index")
    assert loaded.texts == index.texts
    assert torch.equal(loaded.ranks(queries, torch.arange(4)), index.ranks(queries, torch.arange(4)))
    torch.testing.assert_close(loaded.cosines(queries), index.cosines(queries))
    assert [path.name for path in tmp_path.iterdir()] == ["stories.index"]


def test_texts_of_any_script_are_kept(tmp_path):
    Index(["Señor\n×", ""], torch.eye(2)).save(tmp_path / "i")
    assert Index.load(tmp_path / "i").texts == ("Señor\n×", "")


def test_a_write_that_fails_leaves_the_index_that_was_there(index, tmp_path, monkeypatch):
    path = tmp_path / "stories.index"
    index.save(path)
    before = path.read_bytes()

    def full_disk(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("llmcourse.data.files.os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        Index(["other"], torch.ones(1, 5)).save(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["stories.index"]


def test_a_file_that_is_no_index_is_refused(tmp_path):
    path = tmp_path / "x"
    with pytest.raises(ValueError, match="There is no index"):
        Index.load(path)
    path.write_bytes(b"no tensors here")
    with pytest.raises(ValueError, match="damaged, or no index"):
        Index.load(path)
    for tensors, metadata in (
        ({"other": torch.eye(2)}, {"texts": json.dumps(["a", "b"])}),
        ({"vectors": torch.eye(2)}, None),
        ({"vectors": torch.eye(2)}, {"texts": json.dumps(["one too few"])}),
        ({"vectors": torch.eye(2)}, {"texts": "not JSON"}),
    ):
        save_file(tensors, path, metadata)
        with pytest.raises(ValueError, match="damaged, or no index"):
            Index.load(path)


def test_vectors_that_cannot_be_searched_are_refused(index):
    with pytest.raises(ValueError, match="2 texts, 1 vectors"):
        Index(["a", "b"], torch.ones(1, 3))
    with pytest.raises(ValueError, match="0 texts"):
        Index([], torch.ones(0, 3))
    with pytest.raises(ValueError, match="that of text 1 has length 0"):
        Index(["a", "b"], torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    with pytest.raises(ValueError, match="that of text 0 has length nan"):
        Index(["a"], torch.tensor([[math.nan, 0.0]]))
    with pytest.raises(ValueError, match="k must be at least 1, not 0"):
        index.search(torch.ones(1, 5), 0)


def test_a_bag_of_words_weighs_each_word_by_its_count_and_its_rarity():
    bag = BagOfWords(["a b", "b c", "b b"])
    (found,) = bag.vectors(["b a b unknown"]).tolist()
    rare, common = math.log(4 / 1), 2 * math.log(4 / 3)
    length = math.hypot(rare, common)
    assert list(bag.weights) == ["a", "b", "c"]
    assert found == pytest.approx([rare / length, common / length, 0])
    torch.testing.assert_close(bag.vectors(["a b"]), bag.vectors(["b a"]))


def test_a_bag_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no words"):
        BagOfWords(["", " "])
