"""Why can this client not talk to that broker? `python -m kafka_proof.doctor` says it, and what to change.

link.py opens one connection, step by step; checks.py is the list of what is looked at, in order; write.py is the one
check that makes something; advice.py says what to change for each diagnosis; __main__.py is the command.
"""
