"""Remove topics and groups, and see that they are gone."""

from kafka.admin import MemberToRemove

from smoke.wait import wait_until


def remove(admin, is_mine, what, topics=True):
    """Remove all groups, and all topics, whose name `is_mine` (a function of str); return the sorted names.

    `what`: what they are, for the message. `topics=False` leaves topics alone, where none were made.
    Raises AssertionError when something is still there after a while, and kafka.errors.KafkaError.
    """
    removed = set()

    def groups():
        names = [group["group_id"] for group in admin.list_groups() if is_mine(group["group_id"])]
        for group, description in admin.describe_groups(names).items() if names else ():
            # A member that was killed holds its group until its session is over.
            if stranded := [MemberToRemove(member["member_id"]) for member in description["members"]]:
                admin.remove_group_members(group, stranded)
        if names:
            admin.delete_groups(names)
        removed.update(names)
        return names

    def mine():
        return sorted(filter(is_mine, admin.list_topics()))

    try:
        wait_until(f"the groups of {what} to be gone", groups, good=lambda names: not names)
    finally:
        if topics and (names := mine()):
            admin.delete_topics(names)
            removed.update(names)
            wait_until(f"the topics of {what} to be gone", mine, good=lambda names: not names)
    return sorted(removed)
