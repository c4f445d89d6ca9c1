"""The groups `gallery` and `subjects`: which module has which command. Add one line here to add one.

The service may run meanwhile, and sees what they change.
"""

from gallery.cli_enroll import enroll
from gallery.cli_identify import identify, verify
from gallery.commands import group_of

__all__ = ["enroll", "gallery", "identify", "subjects", "verify"]

GALLERY = {
    "create": "gallery.cli_gallery:create",
    "list": "gallery.cli_gallery:list_galleries",
    "show": "gallery.cli_gallery:show_gallery",
    "delete": "gallery.cli_gallery:delete_gallery",
    "doctor": "gallery.cli_doctor:doctor",
    "migrate": "gallery.cli_migrate:migrate",
    "rollback": "gallery.cli_migrate:rollback",
    "erasures": "gallery.cli_erasure:list_erasures",
    "receipt": "gallery.cli_erasure:show_receipt",
    "verify-erasure": "gallery.cli_erasure:verify_erasure",
    "purge": "gallery.cli_erasure:purge",
    "export": "gallery.cli_archive:export_gallery",
    "import": "gallery.cli_archive:import_gallery",
}
SUBJECTS = {
    "list": "gallery.cli_subjects:list_subjects",
    "show": "gallery.cli_subjects:show_subject",
    "set": "gallery.cli_manage:set_subject",
    "rename": "gallery.cli_manage:rename",
    "merge": "gallery.cli_manage:merge",
    "move": "gallery.cli_manage:move",
    "copy": "gallery.cli_manage:copy",
    "erase": "gallery.cli_erasure:erase_subject",
}

gallery = group_of(
    GALLERY, "Create, list, show, migrate and delete galleries.\n\nExample: gaitkeeper gallery create staff"
)
subjects = group_of(
    SUBJECTS,
    "List, show, change, copy and erase subjects.\n\nExample: gaitkeeper subjects list --gallery staff",
)
