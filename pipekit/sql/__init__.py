"""SQL text: templates, literals, and translation between dialects."""
