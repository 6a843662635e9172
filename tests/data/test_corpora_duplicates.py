import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.data.corpora.duplicates import clusters, passages, without_near_duplicates, words
from llmcourse.data.corpora.splits import HELD_OUT, share_out, split_of
from llmcourse.world.world import SPLITS


def prose(n, seed):
    """`n` words that no other seed is likely to put in the same order."""
    chance = random.Random(seed)
    return " ".join(chance.choice("abcdefghijklmnopqrstuvwxyz") + str(chance.randrange(50)) for _ in range(n))


def jaccard(one, other, n_words):
    a, b = set(passages(one, n_words)), set(passages(other, n_words))
    return len(a & b) / len(a | b)


few_words = st.lists(st.sampled_from("abc"), max_size=12).map(" ".join)
texts = st.dictionaries(st.text("xyz", min_size=1, max_size=3), few_words, max_size=8)


# -- near-duplicates -------------------------------------------------------------------------------------------------
def test_planted_copies_and_near_copies_are_found_and_others_are_kept():
    original = prose(200, 1)
    changed = original.split(" ")
    changed[50] = "mended"  # breaks 8 passages of 193
    planted = {
        "original": original + " " + prose(5, 0),
        "copy": original,
        "near-copy": " ".join(changed),
        "laid-out": original.upper().replace(" ", ",\n"),
        "excerpt": " ".join(original.split(" ")[100:150]),
        "half-new": original[: len(original) // 3] + " " + prose(150, 2),
        "other": prose(200, 3),
        "empty": "\n ... \n",
    }
    assert without_near_duplicates(planted) == ["half-new", "original", "other"]


@settings(max_examples=50, deadline=None)
@given(texts, st.sampled_from([0.3, 0.5, 1.0]), st.integers(1, 4))
def test_no_two_texts_that_are_kept_are_as_similar_as_the_threshold(found, share, n_words):
    kept = without_near_duplicates(found, share, n_words)
    for one in kept:
        for other in kept:
            assert one == other or jaccard(found[one], found[other], n_words) < share


@settings(max_examples=50, deadline=None)
@given(texts, st.integers(1, 4))
def test_what_is_left_out_stands_in_what_is_kept(found, n_words):
    kept = without_near_duplicates(found, 0.5, n_words)
    there = {passage for name in kept for passage in passages(found[name], n_words)}
    for name in set(found) - set(kept):
        own = set(passages(found[name], n_words))
        assert len(own & there) >= 0.5 * len(own)


def test_the_longer_of_two_copies_is_kept_and_of_equals_the_first():
    text = prose(40, 1)
    assert without_near_duplicates({"b": text, "a": text, "z": text + " and more"}) == ["z"]
    assert without_near_duplicates({"b": text, "a": text}) == ["a"]


def test_a_text_shorter_than_a_passage_is_one_passage():
    assert list(passages("Two words.", 8)) == ["two words"]
    assert list(passages("...", 8)) == []
    assert list(passages("a b c d", 3)) == ["a b c", "b c d"]
    assert words("It's x_1 = 2;") == ["it", "s", "x_1", "2"]


@pytest.mark.parametrize(("share", "n_words"), [(0, 8), (1.1, 8), (0.5, 0)])
def test_a_threshold_that_means_nothing_is_refused(share, n_words):
    with pytest.raises(ValueError, match="0 < share <= 1 and n_words >= 1"):
        without_near_duplicates({}, share, n_words)


# -- clusters and splits -------------------------------------------------------------------------------------------
@settings(max_examples=50, deadline=None)
@given(texts, st.integers(1, 4))
def test_two_clusters_share_no_passage_and_one_cluster_hangs_together(found, n_words):
    groups = clusters(found, n_words)
    assert sorted(name for group in groups for name in group) == sorted(found)
    own = [{name: set(passages(found[name], n_words)) for name in group} for group in groups]
    for index, group in enumerate(own):
        others = [one for other in own[index + 1 :] for one in other.values()]
        assert all(not passage & one for passage in group.values() for one in others)
        reached = [min(group)]
        for name in reached:  # grows while it is walked
            reached += [other for other in group if other not in reached and group[name] & group[other]]
        assert set(reached) == set(group)


def test_a_chain_of_quotations_is_one_cluster():
    one, two, three = (prose(30, seed) for seed in range(3))
    found = {"a": one, "b": one + " " + two, "c": three, "d": two}
    assert clusters(found) == [["a", "b", "d"], ["c"]]


def test_a_group_stays_together_and_the_held_out_parts_are_a_tenth_at_most():
    groups = [[f"{n}-{i}" for i in range(1 + n % 5)] for n in range(200)]
    sizes = {name: 1 for group in groups for name in group} | {"0-0": 300}
    splits = share_out(groups, sizes)
    assert list(splits) == list(SPLITS)
    assert sorted(name for names in splits.values() for name in names) == sorted(sizes)
    at = {name: split for split, names in splits.items() for name in names}
    assert all(len({at[name] for name in group}) == 1 for group in groups)
    assert at["0-0"] == "train"  # larger than a tenth
    total = sum(sizes.values())
    for split in ("valid", "test"):
        assert 0.9 * HELD_OUT < sum(sizes[name] for name in splits[split]) / total <= HELD_OUT


def test_a_name_has_the_same_split_wherever_it_stands():
    names = [f"package/module_{n}.py" for n in range(4_000)]
    counts = {split: sum(split_of(name) == split for name in names) for split in SPLITS}
    assert counts["train"] == pytest.approx(3_200, abs=80)  # 3 standard deviations
    assert counts["valid"] == pytest.approx(400, abs=60)
    for name in names[:200]:
        digest = hashlib.sha256(f"split/{name}".encode()).hexdigest()
        where = int(digest[:16], 16) / 2**64
        assert split_of(name) == ("train" if where < 0.8 else "valid" if where < 0.9 else "test")
