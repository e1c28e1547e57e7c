// SPDX-License-Identifier: GPL-2.0
// VM_FAULT_RETRY or a bare errno
#include "kernel.h"

vm_fault_t bad_return_page_mkwrite(struct vm_fault *vmf)
{
	if (foo_prepare(NULL, page_folio(vmf->page)))
		return VM_FAULT_RETRY;
	folio_lock(page_folio(vmf->page));
	return VM_FAULT_LOCKED;
}

vm_fault_t bad_variable_page_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret = VM_FAULT_LOCKED;

	folio_lock(page_folio(vmf->page));
	if (foo_prepare(NULL, page_folio(vmf->page)))
		ret = VM_FAULT_LOCKED | VM_FAULT_RETRY;
	return ret;
}

vm_fault_t bad_errno_page_mkwrite(struct vm_fault *vmf)
{
	if (vmf->pgoff)
		return -EIO;
	folio_lock(page_folio(vmf->page));
	return VM_FAULT_LOCKED;
}

vm_fault_t bad_err_page_mkwrite(struct vm_fault *vmf)
{
	int err = foo_prepare(NULL, page_folio(vmf->page));

	if (err)
		return err;
	folio_lock(page_folio(vmf->page));
	return VM_FAULT_LOCKED;
}

/* Tests for it, does not return it. */
vm_fault_t ok_test_page_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret = filemap_page_mkwrite(vmf);

	if (ret & VM_FAULT_RETRY)
		return VM_FAULT_SIGBUS;
	return ret;
}

vm_fault_t ok_translated_page_mkwrite(struct vm_fault *vmf)
{
	int err = foo_prepare(NULL, page_folio(vmf->page));

	if (err)
		return vmf_fs_error(err);
	folio_lock(page_folio(vmf->page));
	return VM_FAULT_LOCKED;
}

vm_fault_t ok_again_page_mkwrite(struct vm_fault *vmf)
{
	if (foo_prepare(NULL, page_folio(vmf->page)) == -EAGAIN)
		return VM_FAULT_NOPAGE;
	folio_lock(page_folio(vmf->page));
	return VM_FAULT_LOCKED;
}

/* ->fault may return it. */
vm_fault_t ok_plain_fault(struct vm_fault *vmf)
{
	if (!vmf->page)
		return VM_FAULT_RETRY;
	return filemap_fault(vmf);
}
