"""Client indexes as their clients ask them: keys to ids, the engine, ids to keys."""
