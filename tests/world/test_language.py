"""The invented language: one translation for each sentence, and one sentence for each translation."""

import re
from contextlib import suppress
from random import Random

import pytest

from llmcourse.world import Language, World
from llmcourse.world.language import ADJECTIVES, COUNTS, PAST, PLURAL, NounPhrase, Sentence, english
from llmcourse.world.lexicon import DAYS, PLACES
from llmcourse.world.tasks.translation import draw_sentence
from llmcourse.world.template import number_word

KETTLES = Sentence("give", "Mara", NounPhrase("kettle", 2, "red", "Ines"), "Odo", "bridge", "Monday", "past", True)


def drawn(n: int, seed: int = 0) -> list[Sentence]:
    random, world = Random(seed), World(0)
    return [draw_sentence(world, random) for _ in range(n)]


@pytest.mark.parametrize("seed", range(5))
def test_reading_undoes_translating(seed: int) -> None:
    language = Language(seed)
    for sentence in drawn(100, seed):
        assert language.read(language.translate(sentence)) == sentence


def test_no_two_sentences_share_their_english_or_their_translation() -> None:
    language, sentences = Language(1), set(drawn(2000))
    assert len({english(s) for s in sentences}) == len({language.translate(s) for s in sentences}) == len(sentences)


def read_english(text: str) -> Sentence:
    """The sentence whose English `text` is, read with none of the package's grammar."""
    words = {past: verb for verb, past in PAST.items()} | {verb: verb for verb in PAST}
    singular = {many: one for one, many in PLURAL.items()} | {one: one for one in PLURAL}
    numbers = {number_word(n): n for n in COUNTS}
    found = re.fullmatch(
        r"(?:On (?P<day>\w+) )?(?P<subject>[A-Z]\w+) (?P<helper>will not |will |did not )?(?P<verb>\w+)"
        r"(?: (?P<recipient>[A-Z]\w+)(?!'))? (?:(?P<owner>[A-Z]\w+)'s |an? )?(?P<phrase>[a-z ]+?)"
        r"(?: at the (?P<place>[a-z ]+))?\.",
        text,
    )
    *described, noun = found["phrase"].split(" ")
    n = numbers[described.pop(0)] if described and described[0] in numbers else 1
    return Sentence(
        verb=words[found["verb"]],
        subject=found["subject"],
        object=NounPhrase(singular[noun], n, "".join(described), found["owner"] or ""),
        recipient=found["recipient"] or "",
        place=found["place"] or "",
        day=found["day"] or "",
        tense="future" if (found["helper"] or "").startswith("will") else "past",
        is_negated="not" in (found["helper"] or ""),
    )


def test_the_english_alone_tells_what_the_sentence_says() -> None:
    for sentence in drawn(300, 7):
        assert read_english(english(sentence)) == sentence


def test_records_are_translated_truly() -> None:
    world = World(4)
    for record in world.task("translation", 200):
        assert world.language.read(record.translation) == read_english(record.english)


def test_english_is_put_as_english_is() -> None:
    assert english(KETTLES) == "On Monday Mara did not give Odo Ines's two red kettles at the bridge."
    assert english(Sentence("see", "Odo", NounPhrase("egg", adjective="old"))) == "Odo saw an old egg."
    assert english(Sentence("find", "Odo", NounPhrase("pie"), tense="future")) == "Odo will find a pie."


@pytest.mark.parametrize("seed", range(8))
def test_the_grammar_is_as_documented(seed: int) -> None:
    language = Language(seed)
    words, marks = language.words, language.marks
    verb = [language.verbs["give"] + marks["past"], words["not"]]
    noun = language.nouns["kettle"] + marks["plural"]
    phrase = [noun, language.adjectives["red"], language.numbers[2], words["of"], "Ines"]
    core = {"verb": verb, "subject": ["Mara"], "object": phrase}
    tail = [words["to"], "Odo", words["at"], language.places["bridge"], language.days["Monday"]]
    assert language.order != ("subject", "verb", "object")
    assert language.translate(KETTLES) == " ".join([w for part in language.order for w in core[part]] + tail)


def vocabulary(language: Language) -> list[str]:
    verbs = [stem + language.marks[tense] for stem in language.verbs.values() for tense in ("past", "future")]
    nouns = [stem + mark for stem in language.nouns.values() for mark in ("", language.marks["plural"])]
    others = (language.words, language.adjectives, language.numbers, language.places, language.days)
    return [*verbs, *nouns, *(word for kind in others for word in kind.values())]


@pytest.mark.parametrize("seed", range(8))
def test_words_are_pronounceable_all_different_and_not_english(seed: int) -> None:
    words = vocabulary(Language(seed))
    assert len(set(words)) == len(words) > 120
    assert all(re.fullmatch(r"([bdfghjklmnprstvwz][aeiou]){1,2}[bdfghjklmnprstvwz]([aeiou][a-z])?", w) for w in words)
    known = {*PAST, *PAST.values(), *PLURAL, *PLURAL.values(), *ADJECTIVES, *PLACES, *map(str.lower, DAYS)}
    assert not known & set(words)


def test_each_seed_has_its_own_language_and_always_the_same() -> None:
    assert vocabulary(Language(1)) == vocabulary(Language(1))
    assert len(set(vocabulary(Language(1))) & set(vocabulary(Language(2)))) < 12
    assert {Language(seed).order for seed in range(40)} == {
        ("verb", "subject", "object"),
        ("verb", "object", "subject"),
        ("object", "verb", "subject"),
        ("subject", "object", "verb"),
    }


def test_a_text_that_is_read_is_the_translation_of_what_was_read() -> None:
    language = Language(3)
    words = language.translate(KETTLES).split(" ")
    n_read = 0
    for i in range(len(words)):
        for changed in ([*words[:i], *words[i + 1 :]], [*words[:i], words[i - 1], *words[i + 1 :]]):
            with suppress(ValueError):
                found = language.read(" ".join(changed))
                n_read += 1
                assert language.translate(found) == " ".join(changed)
    assert 0 < n_read < len(words)


def test_what_the_grammar_does_not_allow_is_named() -> None:
    language = Language(3)
    text = language.translate(KETTLES)
    with pytest.raises(ValueError, match="word 14, 'turbine', cannot stand here"):
        language.read(f"{text} turbine")
    with pytest.raises(ValueError, match="word 1, 'turbine', cannot stand here"):
        language.read(f"turbine {text}")
    with pytest.raises(ValueError, match="is not over"):
        language.read(" ".join(text.split(" ")[:2]))
