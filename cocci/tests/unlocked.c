// SPDX-License-Identifier: GPL-2.0
// success without VM_FAULT_LOCKED
#include "kernel.h"

vm_fault_t bad_constant_page_mkwrite(struct vm_fault *vmf)
{
	file_update_time(vmf->vma->vm_file);
	return 0;
}

vm_fault_t bad_variable_page_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret;

	ret = 0;
	if (vmf->pgoff)
		ret = VM_FAULT_SIGBUS;
	return ret;
}

vm_fault_t bad_guard_page_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret = foo_fault(vmf);

	if (ret)
		return ret;
	file_update_time(vmf->vma->vm_file);
	return ret;
}

/* Shared with ->fault: the MKWRITE branch counts. */
vm_fault_t bad_shared_page_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret = VM_FAULT_SIGBUS;

	if (vmf->flags & FAULT_FLAG_MKWRITE) {
		if (vmf->pgoff == 0)
			ret = 0;
		return ret;
	}
	return filemap_fault(vmf);
}

/* No "mkwrite" in the name, assigned only. */
static vm_fault_t bad_named_otherwise(struct vm_fault *vmf)
{
	return 0;
}

const struct vm_operations_struct bad_ops = {
	.fault = filemap_fault,
	.page_mkwrite = bad_named_otherwise,
};

vm_fault_t ok_locked_page_mkwrite(struct vm_fault *vmf)
{
	folio_lock(page_folio(vmf->page));
	return VM_FAULT_LOCKED;
}

/* Returns 0 to ->fault only. */
vm_fault_t ok_shared_page_mkwrite(struct vm_fault *vmf)
{
	if (vmf->flags & (FAULT_FLAG_MKWRITE | FAULT_FLAG_WRITE))
		return VM_FAULT_SIGBUS;
	return 0;
}

vm_fault_t ok_replaced_page_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret = 0;

	if (vmf->pgoff)
		ret = VM_FAULT_NOPAGE;
	if (!ret) {
		folio_lock(page_folio(vmf->page));
		ret = VM_FAULT_LOCKED;
	}
	return ret;
}

/* An errno, 0 becomes VM_FAULT_LOCKED. */
vm_fault_t ok_errno_page_mkwrite(struct vm_fault *vmf)
{
	int ret = 0;

	ret = block_page_mkwrite(vmf->vma, vmf, NULL);
	return vmf_fs_error(ret);
}

/* A ->fault method returns 0 with vmf->page set. */
vm_fault_t ok_plain_fault(struct vm_fault *vmf)
{
	vmf->page = NULL;
	return 0;
}
