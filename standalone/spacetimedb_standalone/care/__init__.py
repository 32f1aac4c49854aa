"""Care of data directories while nobody serves them: checking, copying up to an offset, repairing, importing."""
