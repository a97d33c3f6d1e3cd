"""From the columns of a query back to those of its tables: ``query`` is the entry, ``walk`` goes through its scopes."""
