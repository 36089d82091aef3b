"""Peers: earlier or common methods that a benchmark measures ours beside, frozen as they were."""
