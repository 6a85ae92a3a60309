"""The smoke suite: one test for each property of a Kafka cluster. docs/smoke.md lists them."""
