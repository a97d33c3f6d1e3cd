"""SQL text: templates, literals, and translation between dialects."""

import logging


def _is_wanted(record: logging.LogRecord) -> bool:
    """sqlglot logs that it takes a statement for a command; pipekit refuses such a statement itself, in its words."""
    return "Falling back to parsing as a 'Command'" not in record.getMessage()


logging.getLogger("sqlglot").addFilter(_is_wanted)
