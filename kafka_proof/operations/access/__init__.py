"""Access as code: users, ACLs and quotas of a cluster match lists, over one connection and without a JVM.

Each kind of item is a table {key: value}: the wanted one comes from a list, the actual one from the cluster. shared.py
compares the two, shows the changes and carries them out. users.py, acls.py and quotas.py read and write their items.
roles.py expands a role, such as producer, to ACLs.
"""
