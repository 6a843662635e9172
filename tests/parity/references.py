"""Random tiny models of the transformers library, of every family and of unusual shapes, and ours beside them."""

from collections.abc import Callable
from functools import partial

import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForMaskedLM,
    BloomConfig,
    BloomForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

TOLERANCE = 2e-5  # of the largest logit; float32 noise measured 3e-6, a wrong eps 6e-5
VOCAB = 61


def _gpt2(**options) -> PreTrainedModel:
    sizes = {"n_positions": 40, "n_embd": 24, "n_layer": 3, "n_head": 4, "bos_token_id": None, "eos_token_id": None}
    return GPT2LMHeadModel(GPT2Config(vocab_size=VOCAB, **{**sizes, **options}))


def _llama(**options) -> PreTrainedModel:
    sizes = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 3, "num_attention_heads": 4}
    return LlamaForCausalLM(LlamaConfig(vocab_size=VOCAB, max_position_embeddings=64, **{**sizes, **options}))


def _mixtral(**options) -> PreTrainedModel:
    sizes = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4}
    sizes |= {"num_key_value_heads": 2, "num_local_experts": 5, "num_experts_per_tok": 2}
    return MixtralForCausalLM(MixtralConfig(vocab_size=VOCAB, max_position_embeddings=64, **{**sizes, **options}))


def _bert(**options) -> PreTrainedModel:
    sizes = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 3, "num_attention_heads": 4}
    return BertForMaskedLM(BertConfig(vocab_size=VOCAB, max_position_embeddings=40, **{**sizes, **options}))


def _t5(**options) -> PreTrainedModel:
    sizes = {"d_model": 24, "d_kv": 6, "d_ff": 40, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0}
    return T5ForConditionalGeneration(T5Config(vocab_size=VOCAB, **{**sizes, **options}))


def _bart(**options) -> PreTrainedModel:
    sizes = {"d_model": 24, "encoder_layers": 2, "decoder_layers": 2, "max_position_embeddings": 40}
    sizes |= {"encoder_attention_heads": 4, "decoder_attention_heads": 4}
    sizes |= {"encoder_ffn_dim": 40, "decoder_ffn_dim": 40}
    return BartForConditionalGeneration(BartConfig(vocab_size=VOCAB, forced_eos_token_id=None, **{**sizes, **options}))


def _bloom(**options) -> PreTrainedModel:
    return BloomForCausalLM(BloomConfig(vocab_size=VOCAB, **{"hidden_size": 24, "n_layer": 3, "n_head": 4, **options}))


def _opt(**options) -> PreTrainedModel:
    sizes = {"hidden_size": 24, "ffn_dim": 40, "num_hidden_layers": 3, "num_attention_heads": 4}
    sizes |= {"max_position_embeddings": 40, "word_embed_proj_dim": 24}
    return OPTForCausalLM(OPTConfig(vocab_size=VOCAB, **{**sizes, **options}))


Make = Callable[[], PreTrainedModel]
SCALED = {"rope_type": "linear", "factor": 2.5, "rope_theta": 500.0}
DECODERS: dict[str, Make] = {
    "gpt2": _gpt2,
    "gpt2-odd": partial(_gpt2, n_embd=21, n_head=3, n_inner=50, layer_norm_epsilon=1e-3),
    "gpt2-relu-untied": partial(_gpt2, activation_function="relu", tie_word_embeddings=False),
    "llama": _llama,
    "llama-grouped": partial(_llama, num_attention_heads=6, num_key_value_heads=2, head_dim=10, rms_norm_eps=1e-2),
    "llama-tied-scaled": partial(_llama, num_key_value_heads=1, tie_word_embeddings=True, rope_parameters=SCALED),
    "llama-biased": partial(_llama, attention_bias=True, mlp_bias=True),
    "mixtral": _mixtral,
    "mixtral-odd": partial(_mixtral, num_attention_heads=6, num_key_value_heads=3, head_dim=14),
    "bloom": _bloom,
    "bloom-odd-heads": partial(_bloom, hidden_size=30, n_head=5, layer_norm_epsilon=1e-3),
    "opt": _opt,
    "opt-gelu": partial(_opt, activation_function="gelu", ffn_dim=52, num_attention_heads=3),
}
ENCODERS: dict[str, Make] = {
    "bert": _bert,
    "bert-odd": partial(_bert, num_attention_heads=3, type_vocab_size=4, layer_norm_eps=1e-3, hidden_act="gelu_new"),
}
BOTH: dict[str, Make] = {
    "t5": _t5,
    "t5-uneven": partial(_t5, num_layers=4, num_decoder_layers=2, d_kv=10, num_heads=3, layer_norm_epsilon=1e-3),
    "t5-gated-unscaled": partial(
        _t5,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,  # the library ties all the same, but no longer scales
        relative_attention_num_buckets=8,
        relative_attention_max_distance=11,
    ),
    "bart": _bart,
    "bart-uneven": partial(_bart, encoder_layers=3, decoder_layers=1, activation_function="relu"),
}
REFERENCES: dict[str, Make] = {**DECODERS, **ENCODERS, **BOTH}


def strongly_randomised(reference: PreTrainedModel) -> PreTrainedModel:
    """Every tensor far from its starting value, buffers too: default ones and zeros would hide a mapping mistake."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in reference.state_dict().items():
            noise = torch.randn(weight.shape, generator=generator)
            if name.endswith("bias"):
                weight.copy_(0.15 * noise)  # more, and every text would end in the token that the last one favours
            elif weight.dim() == 1:
                weight.copy_(1.0 + 0.4 * noise)
            else:
                weight.copy_(2.0 * noise / weight.shape[-1] ** 0.5)
            if name.endswith(".q.weight"):  # T5 divides no scores, so they are kept from saturating here
                weight.div_(2.0)
    reference.tie_weights()
    return reference.eval()


def worst(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """The largest difference, as a share of the largest number."""
    assert ours.shape == theirs.shape
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()
