// SPDX-License-Identifier: GPL-2.0
// waits for space or a transaction under the folio lock
#include "kernel.h"

vm_fault_t bad_journal_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	void *handle;

	folio_lock(folio);
	handle = foo_journal_start(inode);
	foo_journal_stop(handle);
	return VM_FAULT_LOCKED;
}

vm_fault_t bad_reserve_page_mkwrite(struct vm_fault *vmf)
{
	struct page *page = vmf->page;

	lock_page(page);
	if (foo_reserve_space(file_inode(vmf->vma->vm_file), PAGE_SIZE)) {
		unlock_page(page);
		return VM_FAULT_SIGBUS;
	}
	return VM_FAULT_LOCKED;
}

vm_fault_t bad_flush_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);

	folio_lock(folio);
	filemap_fdatawrite_range(folio->mapping, 0, PAGE_SIZE);
	folio_unlock(folio);
	return VM_FAULT_NOPAGE;
}

vm_fault_t bad_inode_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);

	lock_page(vmf->page);
	inode_lock(inode);
	inode_unlock(inode);
	return VM_FAULT_LOCKED;
}

vm_fault_t ok_before_page_mkwrite(struct vm_fault *vmf)
{
	if (foo_reserve_space(file_inode(vmf->vma->vm_file), PAGE_SIZE))
		return VM_FAULT_SIGBUS;
	lock_page(vmf->page);
	return VM_FAULT_LOCKED;
}

vm_fault_t ok_unlocked_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	struct inode *inode = file_inode(vmf->vma->vm_file);

again:
	folio_lock(folio);
	if (foo_prepare(inode, folio)) {
		folio_unlock(folio);
		filemap_fdatawrite_range(inode->i_mapping, 0, PAGE_SIZE);
		goto again;
	}
	return VM_FAULT_LOCKED;
}

/* Only a failed attempt, which has unlocked, comes round again. */
vm_fault_t ok_nospace_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	void *handle;
	int err;

again:
	handle = foo_journal_start(inode);
	folio_lock(folio);
	err = foo_prepare(inode, folio);
	if (err)
		folio_unlock(folio);
	foo_journal_stop(handle);
	if (err == -ENOSPC)
		goto again;
	return vmf_fs_error(err);
}
