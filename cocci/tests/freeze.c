// SPDX-License-Identifier: GPL-2.0
// no freeze protection
#include "kernel.h"

vm_fault_t bad_time_page_mkwrite(struct vm_fault *vmf)
{
	file_update_time(vmf->vma->vm_file);
	return VM_FAULT_SIGBUS;
}

vm_fault_t bad_folio_page_mkwrite(struct vm_fault *vmf)
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

static vm_fault_t half(struct page *page)
{
	lock_page(page);
	if (!page->mapping) {
		unlock_page(page);
		return VM_FAULT_NOPAGE;
	}
	set_page_dirty(page);
	return VM_FAULT_LOCKED;
}

/* The part that it returns locks. */
vm_fault_t bad_whole_page_mkwrite(struct vm_fault *vmf)
{
	return half(vmf->page);
}

vm_fault_t bad_helper_page_mkwrite(struct vm_fault *vmf)
{
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return vmf_fs_error(len);
	return VM_FAULT_LOCKED;
}

vm_fault_t ok_start_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);

	sb_start_pagefault(inode->i_sb);
	file_update_time(vmf->vma->vm_file);
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_SIGBUS;
}

static vm_fault_t ok_part(struct page *page)
{
	lock_page(page);
	if (!page->mapping) {
		unlock_page(page);
		return VM_FAULT_NOPAGE;
	}
	set_page_dirty(page);
	return VM_FAULT_LOCKED;
}

/* The caller of the part protects it. */
vm_fault_t ok_major_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	sb_start_pagefault(inode->i_sb);
	ret = ok_part(vmf->page);
	sb_end_pagefault(inode->i_sb);
	return ret;
}

vm_fault_t ok_forward_page_mkwrite(struct vm_fault *vmf)
{
	return filemap_page_mkwrite(vmf);
}

/* Nothing of a filesystem is touched. */
vm_fault_t ok_device_page_mkwrite(struct vm_fault *vmf)
{
	lock_page(vmf->page);
	return VM_FAULT_LOCKED;
}
