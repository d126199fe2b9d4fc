"""The audit as people and programs read it: a page of HTML, JSON, JUnit XML and a few lines."""
