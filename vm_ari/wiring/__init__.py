"""What is put together from the configuration: the rooms of the composition root."""
