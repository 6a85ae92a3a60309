"""Write client.properties on the machine that runs Ansible.

An action of the controller, because `file` and `copy` would cost three modules, 1.5 s, to find that nothing is to do.

    client_properties:
      path: build/client.properties   # its directory is made
      content: "bootstrap.servers=localhost:9092\\n"   # if it is empty, there is to be no file
"""

from pathlib import Path

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = True
    _supports_diff = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        required = {"type": "str", "required": True}
        _, args = self.validate_argument_spec(argument_spec={"path": required, "content": required})
        path, content = Path(args["path"]), args["content"]
        try:
            before = path.read_text(encoding="utf-8") if path.exists() else ""
            changed = before != content or (path.exists() and not content)
            if changed and not self._task.check_mode:
                if content:
                    _replace(path, content)
                else:
                    path.unlink()
        except OSError as error:
            advice = "Set stack_client_properties to a file that can be written."
            return {"failed": True, "msg": f"{path}: {error.strerror}. {advice}"}
        diff = {"before": before, "after": content, "before_header": str(path), "after_header": str(path)}
        return {"changed": changed, "diff": diff}


def _replace(path, content):
    """All at once, so that a program that reads it meanwhile sees the old or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(content, encoding="utf-8")
    new.replace(path)
