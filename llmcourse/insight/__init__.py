"""Looking inside a trained model: what its layers read, hold and pass on."""

from llmcourse.insight.capture import capture_attention, capture_outputs

__all__ = ["capture_attention", "capture_outputs"]
