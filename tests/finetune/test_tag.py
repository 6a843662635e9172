"""Tags for words: from spans to tags and back, the loss and the score against independent formulas."""

import pytest
import torch

from llmcourse.data import IGNORE, Batch
from llmcourse.finetune import (
    SpanScore,
    TagExample,
    encode_tags,
    entities_of,
    find_entities,
    score_entities,
    tag_batch,
    tag_batches,
    tag_names,
    tag_nats,
    tagger,
    words_of,
)
from llmcourse.model import Rotary, Transformer, TransformerConfig
from llmcourse.training import TrainConfig, train
from llmcourse.world import EntityRecord, Span
from llmcourse.world.tasks.entities import KINDS
from tests.finetune.conftest import make_backbone

TAGS = tag_names(KINDS)


@pytest.fixture(scope="module")
def records(world):
    return world.task("entities", 12)


@pytest.fixture
def lively(tokenizer):
    model = tagger(make_backbone(tokenizer.vocab_size), len(TAGS))
    torch.nn.init.normal_(model.head.weight)
    return model.eval()


def test_tags_spell_the_spans_that_they_were_made_of(records, tokenizer):
    for record in records:
        words = words_of(record.text, tokenizer)
        example = encode_tags(record, tokenizer, TAGS)
        assert entities_of(words, [TAGS[example.tags[word.token]] for word in words]) == record.spans


def test_tags_of_words_are_those_that_the_world_gives_to_the_words_between_spaces(records, tokenizer):
    for record in records:
        example = encode_tags(record, tokenizer, TAGS)
        between_spaces, start = {}, 0
        for word, tag in record.tags():
            between_spaces |= dict.fromkeys(range(start, start + len(word)), tag)
            start += len(word) + 1
        for word in words_of(record.text, tokenizer):
            given = TAGS[example.tags[word.token]]
            if given != "O":
                assert given[1:] == between_spaces[word.start][1:]
            if given[0] == "B" and between_spaces[word.start][0] == "I":
                # the world's word holds an entity that opens inside of it, behind a quotation mark
                assert record.text[word.start - 1] != " "


def test_a_word_is_its_characters_and_its_first_token(records, tokenizer):
    for record in records:
        ids = encode_tags(record, tokenizer, TAGS).ids
        words = words_of(record.text, tokenizer)
        ends = [word.token for word in words[1:]] + [len(ids)]
        for word, end in zip(words, ends, strict=True):
            assert tokenizer.decode(ids[word.token : end]).lstrip() == record.text[word.start : word.end]


def test_only_the_first_token_of_each_word_counts(records, tokenizer):
    batch = tag_batch([encode_tags(record, tokenizer, TAGS) for record in records])
    first = tokenizer.special_id("<|end|>")
    assert batch.n_targets == sum(len(words_of(record.text, tokenizer)) for record in records)
    assert batch.n_targets < int(batch.is_real.sum()) - len(records)  # the others go without a tag
    assert (batch.inputs[:, 0] == first).all()
    assert (batch.targets[:, 0] == IGNORE).all()
    assert (batch.targets[~batch.is_real] == IGNORE).all()
    assert 0 in batch.targets  # "O" is a tag like any other


def test_the_loss_is_the_surprise_at_each_words_tag_whatever_stands_beside_it(lively, records, tokenizer):
    examples = sorted((encode_tags(r, tokenizer, TAGS) for r in records[:4]), key=lambda e: len(e.ids))
    nats = tag_nats(lively, tag_batch(examples))
    for row, example in enumerate(examples):
        probs = lively(torch.tensor([example.ids]))[0].softmax(dim=-1)
        for place in range(nats.shape[1]):
            tag = example.tags[place] if place < len(example.tags) else IGNORE
            expected = torch.tensor(0.0) if tag == IGNORE else -probs[place, tag].log()
            torch.testing.assert_close(nats[row, place], expected, rtol=1e-3, atol=1e-4)


def test_an_encoder_reads_behind_a_word_too(lively):
    ids = torch.tensor([[5, 9, 2, 7]])
    changed = torch.tensor([[5, 9, 2, 8]])
    assert not torch.allclose(lively(ids)[0, 1], lively(changed)[0, 1])


def test_a_batch_that_does_not_say_where_it_is_real_is_refused(lively):
    ids = torch.tensor([[5, 9]])
    with pytest.raises(ValueError, match="needs what tag_batch gives, not a Batch"):
        tag_nats(lively, Batch(ids, ids))


@pytest.mark.parametrize("mix", [False, True])
def test_a_tagger_keeps_every_weight_of_its_base_but_the_head(tokenizer, mix):
    sizes = {"vocab_size": tokenizer.vocab_size, "d_model": 12, "d_ff": 20, "n_heads": 3, "n_decoder_layers": 2}
    base = Transformer(TransformerConfig(**sizes, position=Rotary(), mix_previous=mix, tie_embeddings=False))
    model = tagger(base, 5)
    ours = {name: weight for name, weight in model.state_dict().items() if not name.startswith("head.")}
    theirs = {name.replace("decoder.", "encoder."): weight for name, weight in base.state_dict().items()}
    theirs.pop("unembed.weight")
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert model(torch.tensor([[1, 2, 3]])).shape == (1, 3, 5)
    model.tokens.weight.data.zero_()
    assert base.tokens.weight.abs().sum() > 0  # a copy


def test_a_base_of_two_stacks_is_refused():
    both = TransformerConfig(vocab_size=20, d_model=8, d_ff=8, n_heads=2, n_encoder_layers=1, n_decoder_layers=1)
    with pytest.raises(ValueError, match="one stack"):
        tagger(Transformer(both), 2)


@pytest.mark.parametrize(
    ("span", "message"),
    [(Span(0, 4, "beast"), "none for the kind 'beast'"), (Span(1, 4, "person"), "'ilo' must begin and end where")],
)
def test_an_entity_that_no_tag_can_say_is_refused(tokenizer, span, message):
    with pytest.raises(ValueError, match=message):
        encode_tags(EntityRecord("Milo came.", (span,)), tokenizer, TAGS)


def opens(tags, place):
    """By the rule in words: a B always does, an I does unless the tag before it is of the same kind."""
    if tags[place] == "O":
        return False
    return tags[place][0] == "B" or place == 0 or tags[place - 1][2:] != tags[place][2:]


@pytest.mark.parametrize("seed", range(20))
def test_any_tags_spell_the_entities_that_the_rule_in_words_gives(seed, tokenizer):
    words = words_of("a b c d e f g h", tokenizer)
    generator = torch.Generator().manual_seed(seed)
    small = tag_names(["x", "y"])
    tags = [small[int(i)] for i in torch.randint(len(small), (len(words),), generator=generator)]
    expected = []
    for place in range(len(tags)):
        if opens(tags, place):
            last = place
            while last + 1 < len(tags) and tags[last + 1] != "O" and not opens(tags, last + 1):
                last += 1
            expected.append(Span(words[place].start, words[last].end, tags[place][2:]))
    assert entities_of(words, tags) == tuple(expected)


def test_an_entity_counts_only_where_characters_and_kind_are_exact():
    true = [(Span(0, 4, "person"), Span(8, 12, "thing")), (Span(0, 4, "person"),)]
    found = [(Span(0, 4, "person"), Span(8, 11, "thing")), (Span(0, 4, "job"), Span(9, 12, "day"))]
    score = score_entities(found, true)
    assert score == SpanScore(n_right=1, n_found=4, n_true=3)
    assert (score.precision, score.recall) == (1 / 4, 1 / 3)
    assert score.f1 == pytest.approx(2 / (4 / 1 + 3 / 1))
    assert score_entities(true, true).f1 == 1.0
    assert score_entities([(), ()], true) == SpanScore(0, 0, 3)
    assert score_entities([()], [()]).f1 == score_entities([()], [()]).precision == 0.0
    with pytest.raises(ValueError, match="1 texts, 2 with the truth"):
        score_entities([()], true)


def test_training_finds_the_entities_that_it_was_shown(records, tokenizer):
    model = tagger(make_backbone(tokenizer.vocab_size), len(TAGS))
    few = [EntityRecord("Milo saw a goat.", (Span(0, 4, "person"), Span(11, 15, "thing"))), EntityRecord("So?", ())]
    config = TrainConfig(steps=25, lr=3e-2)
    list(train(model, tag_batches(few, tokenizer, TAGS, 2), config, objective=tag_nats, progress=False))
    texts = [record.text for record in few]
    assert find_entities(model, tokenizer, texts, TAGS, batch_size=1) == [record.spans for record in few]
    assert find_entities(model, tokenizer, texts, TAGS) == [record.spans for record in few]


def test_a_tag_without_a_score_is_refused(lively):
    with pytest.raises(ValueError, match="Target 40 lies outside"):
        tag_nats(lively, tag_batch([TagExample((5, 9), (IGNORE, 40))]))
