"""Why can this client not use that broker? `kafka-doctor` reports the fault and the change that mends it.

checks.py has the checks, in order; write.py is the one check that creates something; __main__.py is the command.
kafka_proof/client/link.py opens one connection, step by step; kafka_proof/advice.py has the change for each diagnosis.
"""
