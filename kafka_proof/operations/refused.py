"""Refusals: changes that a plan or the cluster refuses, and the message of a task about them."""

NOTHING = "nothing was changed"
UNCERTAIN = "and some of it can have been done"
REST_DONE = "the rest was done"
NO_BROKER = "No broker answers yet; this is what would be done with a new one."  # a warning, in check mode


class Refused(Exception):
    """Changes are refused. `problems`: the reasons, list of str; `rest`: what happened to the other changes."""

    def __init__(self, problems, rest=NOTHING):
        super().__init__("; ".join(problems))
        self.problems, self.rest = problems, rest

    def result(self, client):
        """Return the result of a failed Ansible task. `client`: client properties."""
        where = f"{client.get('bootstrap.servers')}: {len(self.problems)} refused, {self.rest}:"
        return {"failed": True, "changed": self.rest != NOTHING, "msg": "\n".join([where, *self.problems])}
