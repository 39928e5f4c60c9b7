"""Every kind of durable operation that this release can carry on, old versions included."""

from __future__ import annotations

from hanok.engine.steps import Operation
from hanok.operations import (
    attach_volume,
    change_password,
    create_image,
    create_server,
    create_volume,
    delete_server,
    delete_volume,
    detach_volume,
    pause_server,
    reboot_server,
    rescue_server,
    resize_server,
    resume_server,
    shelve_server,
    start_server,
    stop_server,
    suspend_server,
    unpause_server,
    unrescue_server,
    unshelve_server,
)

KINDS: tuple[Operation, ...] = (
    attach_volume.KIND,
    change_password.KIND,
    create_image.KIND,
    create_server.KIND,
    create_volume.KIND,
    delete_server.KIND,
    delete_volume.KIND,
    detach_volume.KIND,
    pause_server.KIND,
    reboot_server.HARD,
    reboot_server.SOFT,
    rescue_server.KIND,
    resize_server.CONFIRM,
    resize_server.RESIZE,
    resize_server.REVERT,
    resume_server.KIND,
    shelve_server.KIND,
    start_server.KIND,
    stop_server.KIND,
    suspend_server.KIND,
    unpause_server.KIND,
    unrescue_server.KIND,
    unshelve_server.KIND,
)
