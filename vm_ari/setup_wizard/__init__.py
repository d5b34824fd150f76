"""``vm-ari init``: questions that lead to a configuration, each answer tried (OPS-06)."""
