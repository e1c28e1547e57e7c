// SPDX-License-Identifier: GPL-2.0
// freeze protection ends before the folio is dirty
#include "kernel.h"

vm_fault_t bad_return_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_NOPAGE;

	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	if (folio->mapping != inode->i_mapping) {
		folio_unlock(folio);
		goto out;
	}
	ret = VM_FAULT_LOCKED;
out:
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* One of two ways to success forgets it. */
vm_fault_t bad_shortcut_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	int err = 0;

	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	if (folio->index)
		goto mapped;
	folio_unlock(folio);
	err = block_page_mkwrite(vmf->vma, vmf, NULL);
mapped:
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* The inode is dirty, the folio is not. */
void foo_mark_inode_dirty(struct inode *inode);
vm_fault_t bad_inode_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_LOCKED;

	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	foo_mark_inode_dirty(inode);
	folio_wait_stable(folio);
	sb_end_pagefault(inode->i_sb);
	return ret;
}

vm_fault_t ok_dirty_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_LOCKED;

	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	if (folio->mapping != inode->i_mapping) {
		folio_unlock(folio);
		ret = VM_FAULT_NOPAGE;
		goto out;
	}
	folio_mark_dirty(folio);
	folio_wait_stable(folio);
out:
	sb_end_pagefault(inode->i_sb);
	return ret;
}

vm_fault_t ok_at_end_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_LOCKED;

	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	if (foo_prepare(inode, folio)) {
		ret = VM_FAULT_SIGBUS;
		folio_unlock(folio);
	}
	if (ret == VM_FAULT_LOCKED)
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* The helper dirties. */
vm_fault_t ok_helper_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	int err;

	sb_start_pagefault(inode->i_sb);
	err = block_page_mkwrite(vmf->vma, vmf, NULL);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

vm_fault_t bad_major_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret;

	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	ret = VM_FAULT_LOCKED | VM_FAULT_MAJOR;
	sb_end_pagefault(inode->i_sb);
	return ret;
}

vm_fault_t ok_major_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret;

	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	folio_mark_dirty(folio);
	ret = VM_FAULT_LOCKED | VM_FAULT_MAJOR;
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* A bit beside LOCKED that is no success. */
vm_fault_t ok_gone_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	sb_start_pagefault(inode->i_sb);
	lock_page(vmf->page);
	ret = VM_FAULT_LOCKED | VM_FAULT_NOPAGE;
	sb_end_pagefault(inode->i_sb);
	return ret;
}
