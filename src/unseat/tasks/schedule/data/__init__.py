"""Job graphs from elsewhere: published ones, generated ones, a person's own, and Spark's event logs."""
