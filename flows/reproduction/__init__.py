"""Making an image again, on purpose: `repetition` knows what its history row asks for, `run` buys and links it."""
