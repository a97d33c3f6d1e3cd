"""Files of any place and format: found, read and held against the contract, the same for every engine."""
