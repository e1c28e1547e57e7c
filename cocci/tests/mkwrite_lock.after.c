// SPDX-License-Identifier: GPL-2.0
// Handlers of the kind before 2.6.30, and some that must stay as they are
#include "kernel.h"

vm_fault_t foo_page_mkwrite(struct vm_fault *vmf)
{
	struct page *page = vmf->page;
	struct inode *inode = file_inode(vmf->vma->vm_file);

	lock_page(page);
	if (page->mapping != inode->i_mapping) {
		unlock_page(page);
		return VM_FAULT_NOPAGE;
	}
	if (foo_reserve_space(inode, PAGE_SIZE)) {
		unlock_page(page);
		return VM_FAULT_SIGBUS;
	}
	set_page_dirty(page);
	return VM_FAULT_LOCKED;
}

vm_fault_t bar_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = VM_FAULT_NOPAGE;

	folio_lock(folio);
	if (folio->mapping != inode->i_mapping || folio_pos(folio) >= i_size_read(inode))
		goto out_unlock;
	ret = VM_FAULT_SIGBUS;
	if (foo_prepare(inode, folio))
		goto out_unlock;
	folio_mark_dirty(folio);
	ret = 0;
out_unlock:
	if (!ret)
		return VM_FAULT_LOCKED;
	folio_unlock(folio);
	return ret;
}

/* The prototype and the types of v2.6.30, and other ways out. */
int old_page_mkwrite(struct vm_area_struct *vma, struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vma->vm_file);
	int ret = VM_FAULT_NOPAGE;

	if (foo_reserve_space(inode, PAGE_SIZE)) {
		ret = VM_FAULT_SIGBUS;
		goto out;
	}
	lock_page(vmf->page);
	if (vmf->page->mapping != inode->i_mapping)
		goto out_unlock;
	set_page_dirty(vmf->page);
	ret = 0;
out_unlock:
	if (!ret)
		return VM_FAULT_LOCKED;
	unlock_page(vmf->page);
out:
	return ret;
}

int errno_page_mkwrite(struct vm_area_struct *vma, struct vm_fault *vmf)
{
	int ret = -1;

	lock_page(vmf->page);
	if (!vmf->page->mapping)
		goto out_unlock;
	ret = foo_prepare(file_inode(vma->vm_file), page_folio(vmf->page));
out_unlock:
	if (!ret)
		return VM_FAULT_LOCKED;
	unlock_page(vmf->page);
	if (ret)
		ret = VM_FAULT_SIGBUS;
	return ret;
}

/* Locked already. */
vm_fault_t new_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);

	folio_lock(folio);
	if (!folio->mapping) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	return VM_FAULT_LOCKED;
}

/* Never locks: not for a script. */
vm_fault_t unlocked_page_mkwrite(struct vm_fault *vmf)
{
	file_update_time(vmf->vma->vm_file);
	return 0;
}

/* Another method: 0 is right. */
vm_fault_t foo_fault(struct vm_fault *vmf)
{
	lock_page(vmf->page);
	unlock_page(vmf->page);
	return 0;
}
