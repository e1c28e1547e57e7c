// SPDX-License-Identifier: GPL-2.0
// the folio is used before ->mapping is checked under its lock
#include "kernel.h"

vm_fault_t bad_return_page_mkwrite(struct vm_fault *vmf)
{
	lock_page(vmf->page);
	wait_for_stable_page(vmf->page);
	return VM_FAULT_LOCKED;
}

vm_fault_t bad_before_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);

	if (folio->mapping != vmf->vma->vm_file->f_mapping)
		return VM_FAULT_NOPAGE;
	folio_lock(folio);
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

vm_fault_t bad_late_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);

	folio_lock(folio);
	folio_attach_private(folio, vmf);
	if (folio->mapping != vmf->vma->vm_file->f_mapping) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	return VM_FAULT_LOCKED;
}

vm_fault_t ok_plain_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);

	folio_lock(folio);
	if (folio->mapping != vmf->vma->vm_file->f_mapping) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

vm_fault_t ok_helper_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);

	folio_lock(folio);
	if (folio_mkwrite_check_truncate(folio, file_inode(vmf->vma->vm_file)) < 0) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

vm_fault_t ok_copy_page_mkwrite(struct vm_fault *vmf)
{
	struct address_space *mapping;
	struct page *page = vmf->page;

	lock_page(page);
	mapping = page->mapping;
	if (mapping != vmf->vma->vm_file->f_mapping) {
		unlock_page(page);
		return VM_FAULT_NOPAGE;
	}
	return VM_FAULT_LOCKED;
}

vm_fault_t bad_major_page_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret;

	lock_page(vmf->page);
	ret = VM_FAULT_LOCKED | VM_FAULT_MAJOR;
	return ret;
}

/* filemap_mkwrite_lock() has looked. */
vm_fault_t ok_major_page_mkwrite(struct vm_fault *vmf)
{
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return vmf_fs_error(len);
	return VM_FAULT_LOCKED | VM_FAULT_MAJOR;
}
