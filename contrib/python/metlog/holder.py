"""holder - the clients of an application by name, for code that cannot be handed one."""
# SPDX-License-Identifier: MPL-2.0
from typing import Any, Dict, Mapping, Optional

from .client import MetlogClient
from .senders import NoSendSender


class ClientHolder:
    """The first client that is set is the default one. Until it is configured, a client that get_client makes sends nothing."""

    def __init__(self) -> None:
        self._clients: Dict[str, MetlogClient] = {}
        self._default_name: Optional[str] = None
        #: Whatever the application keeps for all clients; `disabled_decorators` has names of decorators that do nothing.
        self.global_config: Dict[str, Any] = {}

    def get_client(self, name: str) -> MetlogClient:
        """That client, which is made if there is none."""
        client = self._clients.get(name)
        if client is None:
            client = self._clients.setdefault(name, MetlogClient(NoSendSender(), name))
            if self._default_name is None:
                self._default_name = name
        return client

    def set_client(self, name: str, client: MetlogClient) -> None:
        self._clients[name] = client
        if self._default_name is None:
            self._default_name = name

    def delete_client(self, name: str) -> None:
        self._clients.pop(name, None)
        if self._default_name == name:
            self._default_name = next(iter(self._clients), None)

    def set_default_client_name(self, name: str) -> None:
        if name not in self._clients:
            raise ValueError(f"there is no client {name}")
        self._default_name = name

    @property
    def default_client(self) -> Optional[MetlogClient]:
        return None if self._default_name is None else self._clients.get(self._default_name)


CLIENT_HOLDER = ClientHolder()


def get_client(name: str, config_dict: Optional[Mapping[str, Any]] = None) -> MetlogClient:
    """The client of that name; with a configuration it is made, or made anew, by it."""
    if config_dict is None:
        return CLIENT_HOLDER.get_client(name)
    from .config import client_from_dict_config
    known = CLIENT_HOLDER._clients.get(name)
    client = client_from_dict_config(config_dict, client=known)
    CLIENT_HOLDER.set_client(name, client)
    return client
