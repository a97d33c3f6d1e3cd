"""File formats: what ``format:`` says in a source. One file per format."""
