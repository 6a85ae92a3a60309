"""The part that the documentation of several actions shares: check mode, differences and author."""


class ModuleDocFragment:
    # Changes something, and says in check mode what it would change.
    DOCUMENTATION = r"""
attributes:
  check_mode: {description: Whether the action runs in check mode without a change., support: full}
  diff_mode: {description: Whether the action returns a difference., support: full}
author: The kafka-proof authors
"""
    # Changes nothing that has a difference to show.
    READS = r"""
attributes:
  check_mode: {description: Whether the action runs in check mode without a change., support: full}
  diff_mode: {description: Whether the action returns a difference., support: none}
author: The kafka-proof authors
"""
    # Acts whenever it runs; the role leaves it out in check mode.
    ACTS = r"""
attributes:
  check_mode: {description: Whether the action runs in check mode without a change., support: none}
  diff_mode: {description: Whether the action returns a difference., support: none}
author: The kafka-proof authors
"""
