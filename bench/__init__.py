"""Measurements: ours beside the original Codex CLI in one run, as ratios; never tests."""
