"""ideoflow: verbs are modules here, nouns are packages below."""
