"""Files made from the contract of a source, legal and hostile, and the first that a load treats wrongly."""
