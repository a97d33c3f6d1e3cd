"""Tests of pipekit/insight."""
