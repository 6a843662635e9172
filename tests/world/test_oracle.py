"""The world as a language model over token ids: exact, whether the tokenizer keeps every byte or loses some."""

import math
import time
from collections import defaultdict
from collections.abc import Sequence
from types import MappingProxyType

import pytest

from llmcourse.tokenizers import CL100K_PATTERN, GPT2_PATTERN, O200K_PATTERN, ByteBPE
from llmcourse.world import World
from llmcourse.world.oracle import TokenOracle
from tests.world.toy import enumerate_texts, toy, toy_with_things, world_that_tells

END = "<|end|>"


class Letters:
    """A lossy tokenizer: letters in lower case, and no spaces, so that ids do not tell where words end."""

    specials = MappingProxyType({END: 0})

    def encode(self, text: str) -> list[int]:
        return [ord(letter) for letter in text.lower() if letter != " "]


class Lengths:
    """A lossier one: of each word only its length and its last letter."""

    specials = MappingProxyType({END: 0})

    def encode(self, text: str) -> list[int]:
        return [n for word in text.split(" ") if word for n in (len(word), ord(word[-1]))]


def byte_bpe(texts: Sequence[str], vocab_size: int = 300, pattern: str = GPT2_PATTERN) -> ByteBPE:
    return ByteBPE.train(texts, vocab_size, [END, "<|user|>"], pattern)


def brute_force(texts: dict[str, float], tokenizer, end: int) -> dict[tuple[int, ...], dict[int, float]]:
    """For all that documents begin with, the share of the mass that goes on with each id."""
    masses: dict[tuple[int, ...], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for text, p in texts.items():
        ids = [end, *tokenizer.encode(text), end]
        for n, id_ in enumerate(ids):
            masses[tuple(ids[:n])][id_] += p
    return {
        prefix: {id_: p / math.fsum(after.values()) for id_, p in after.items()} for prefix, after in masses.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "make", [byte_bpe, lambda texts: Letters(), lambda texts: Lengths()], ids=["bytes", "letters", "lengths"]
)
@pytest.mark.parametrize("tell", [toy, toy_with_things])
def test_token_probabilities_are_those_of_the_enumerated_documents(make, tell) -> None:
    world = world_that_tells(tell)
    texts = enumerate_texts(world)
    tokenizer = make(list(texts))
    truth = brute_force(texts, tokenizer, tokenizer.specials[END])
    assert len(truth) > 100
    for prefix, expected in list(truth.items())[::3]:
        probs = world.next_token_probs(prefix, tokenizer)
        assert probs.keys() == expected.keys()
        assert all(probs[id_] == pytest.approx(p, rel=1e-9) for id_, p in expected.items())


def test_a_word_that_could_still_grow_shares_its_mass_with_the_word_after_it() -> None:
    world = world_that_tells(toy)
    tokenizer = byte_bpe(["at the mill. at the mill pond."])
    name = next(iter(world.next_word_probs("")))
    other = next(iter(world.next_word_probs(f"{name} saw"))).rstrip(".")
    start = f"{name} saw {other} at the"
    end = tokenizer.special_id(END)
    probs = world.next_token_probs([end, *tokenizer.encode(f"{start} mill")], tokenizer)
    words = world.next_word_probs(start)
    whole, grown = words["mill"], words["mill."]
    assert len(probs) == 2
    assert probs[tokenizer.encode(".")[0]] == pytest.approx(grown / (whole + grown))
    assert probs[tokenizer.encode(" pond")[0]] == pytest.approx(whole / (whole + grown))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "dials"),
    [
        (GPT2_PATTERN, {}),
        (CL100K_PATTERN, {"n_people": 40, "hops": 4, "noise": 0.2}),
        (O200K_PATTERN, {"held_out": 0.3}),
    ],
    ids=["gpt2", "cl100k", "o200k"],
)
def test_token_probabilities_sum_to_one_and_multiply_up_to_log_prob(pattern: str, dials: dict) -> None:
    world = World(3, **dials)
    tokenizer = byte_bpe([d.text for d in world.documents(100)], 400, pattern)
    end = tokenizer.special_id(END)
    for told in (world, world.training):
        oracle = TokenOracle(told, tokenizer)
        for document in told.documents(3, "test"):
            ids = [end, *tokenizer.encode(document.text), end]
            total = 0.0
            for probs, id_ in zip(oracle.walk(ids[:-1]), ids[1:], strict=True):
                assert math.fsum(probs.values()) == pytest.approx(1.0, abs=1e-12)
                total += math.log(probs[id_])
            assert total == pytest.approx(told.log_prob(document.text), abs=1e-9)


def test_walking_a_document_is_asking_for_each_of_its_prefixes() -> None:
    world = world_that_tells(toy)
    text = world.documents(1, seed=3)[0].text
    tokenizer = byte_bpe([text])
    ids = [tokenizer.special_id(END), *tokenizer.encode(text)]
    walked = list(TokenOracle(world, tokenizer).walk(ids))
    assert walked == [world.next_token_probs(ids[: n + 1], tokenizer) for n in range(len(ids))]
    assert walked[-1][ids[0]] > 0  # the end
    assert world.next_token_probs([], tokenizer) == {ids[0]: 1.0}


def test_probabilities_come_likeliest_first() -> None:
    world = world_that_tells(toy)
    tokenizer = byte_bpe(["late"])
    probs = list(world.next_token_probs([tokenizer.special_id(END)], tokenizer).values())
    assert len(probs) > 2
    assert probs == sorted(probs, reverse=True)


@pytest.mark.slow
def test_a_whole_document_is_walked_in_a_second() -> None:
    world = World(0)
    texts = [d.text for d in world.documents(100)]
    tokenizer = byte_bpe(texts, 512)
    ids = next(i for t in texts if len(i := tokenizer.encode(t)) >= 200)
    oracle = TokenOracle(world, tokenizer)
    start = time.process_time()
    assert len(list(oracle.walk([oracle.end, *ids]))) > 200
    assert time.process_time() - start < 1.0  # 0.1 s where this was written


@pytest.fixture(scope="module")
def told() -> tuple[World, ByteBPE, list[int]]:
    """A world, its tokenizer, and a document as a model reads it."""
    world = World(0)
    text = world.documents(1)[0].text
    tokenizer = byte_bpe([text])
    return world, tokenizer, [tokenizer.special_id(END), *tokenizer.encode(text)]


@pytest.mark.parametrize("place", [1, 2, 9])
def test_the_first_impossible_position_is_named(told, place: int) -> None:
    world, tokenizer, ids = told
    wrong = [*ids[:place], tokenizer.special_id("<|user|>"), *ids[place + 1 :]]
    with pytest.raises(ValueError, match=rf"^position {place}, id {wrong[place]}, is in no document") as error:
        world.next_token_probs(wrong, tokenizer)
    assert "\n" not in str(error.value)


def test_an_end_in_the_middle_of_a_document_is_impossible(told) -> None:
    world, tokenizer, ids = told
    with pytest.raises(ValueError, match="position 5"):
        world.next_token_probs([*ids[:5], ids[0]], tokenizer)


def test_nothing_follows_the_end(told) -> None:
    world, tokenizer, ids = told
    with pytest.raises(ValueError, match=rf"position {len(ids)}, id {ids[0]}, ends the document"):
        world.next_token_probs([*ids, ids[0]], tokenizer)


def test_ids_that_do_not_begin_with_the_end_are_refused(told) -> None:
    world, tokenizer, ids = told
    with pytest.raises(ValueError, match=rf"position 0 is id {ids[1]}.*end id {ids[0]}"):
        world.next_token_probs(ids[1:], tokenizer)


def test_a_tokenizer_that_joins_words_is_refused() -> None:
    world = world_that_tells(toy)
    tokenizer = ByteBPE.train([d.text for d in world.documents(50)], 400, [END], pattern=r"(?s).+")
    with pytest.raises(ValueError, match="word by word") as error:
        list(TokenOracle(world, tokenizer).walk([tokenizer.special_id(END), *tokenizer.encode("It was late.")]))
    assert "\n" not in str(error.value)


def test_a_tokenizer_that_joins_two_rare_words_is_refused_where_they_may_meet() -> None:
    world = world_that_tells(toy)
    name = world.people[0].name
    checked = "".join(document.text for document in world.documents(8, "valid"))
    other = next(word for word in world.next_word_probs(f"{name} saw") if f"saw {word}" not in checked)

    class Joins(Letters):
        def encode(self, text: str) -> list[int]:
            return super().encode(text) + [1] * text.count(f"saw {other}")

    tokenizer = Joins()
    assert world.next_token_probs([0], tokenizer)
    with pytest.raises(ValueError, match=f"word by word: 'saw {other}' shows it"):
        world.next_token_probs([0, *tokenizer.encode(f"{name} saw")], tokenizer)


def test_a_tokenizer_that_leaves_a_word_out_is_refused() -> None:
    class Deaf(Letters):
        def encode(self, text: str) -> list[int]:
            return super().encode(text.replace("It", ""))

    with pytest.raises(ValueError, match="'It' has"):
        world_that_tells(toy).next_token_probs([0], Deaf())


def test_the_id_of_the_end_may_be_named_and_must_be_known() -> None:
    world = world_that_tells(toy)
    tokenizer = ByteBPE.train(["late"], 300, ["[UNK]", "[SEP]"])
    with pytest.raises(ValueError, match=r"'<\|end\|>'.*\['\[UNK\]', '\[SEP\]'\]"):
        world.next_token_probs([0], tokenizer)
    sep = tokenizer.special_id("[SEP]")
    text = world.documents(1)[0].text
    assert sep in TokenOracle(world, tokenizer, end=sep).probs([sep, *tokenizer.encode(text)])
