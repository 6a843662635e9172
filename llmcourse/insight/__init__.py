"""Looking inside a trained model: what its layers read, hold and pass on."""

from llmcourse.insight.capture import capture_attention, capture_inputs, capture_outputs
from llmcourse.insight.induction import (
    follows_same,
    induction_scores,
    latest,
    mean_weight,
    prefix_matching_scores,
    previous_token_scores,
    repeated_tokens,
)
from llmcourse.insight.keys import KeyPrompt, exchanged, is_told, key_pairs, key_prompts, name_ids, names_read
from llmcourse.insight.lens import lens_nats, logit_lens, ranks, readable_from
from llmcourse.insight.patching import (
    Pair,
    Patch,
    keep,
    logit_difference,
    recovered,
    recovered_by_head,
    recovered_by_position,
    run_patched,
    sites,
)
from llmcourse.insight.probes import Probe, ProbeScore, fit_probe, probe
from llmcourse.insight.stream import residual_stream

__all__ = [
    "KeyPrompt",
    "Pair",
    "Patch",
    "Probe",
    "ProbeScore",
    "capture_attention",
    "capture_inputs",
    "capture_outputs",
    "exchanged",
    "fit_probe",
    "follows_same",
    "induction_scores",
    "is_told",
    "keep",
    "key_pairs",
    "key_prompts",
    "latest",
    "lens_nats",
    "logit_difference",
    "logit_lens",
    "mean_weight",
    "name_ids",
    "names_read",
    "prefix_matching_scores",
    "previous_token_scores",
    "probe",
    "ranks",
    "readable_from",
    "recovered",
    "recovered_by_head",
    "recovered_by_position",
    "repeated_tokens",
    "residual_stream",
    "run_patched",
    "sites",
]
