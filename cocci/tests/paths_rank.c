// SPDX-License-Identifier: GPL-2.0
// Mistakes of a held-back set, written before the judge of paths was.
#include "kernel.h"

/* 5: invalidate_lock below the folio lock, taken as a plain rwsem */
vm_fault_t bad_rank_h40_page_mkwrite(struct vm_fault *vmf)
{
	struct address_space *mapping = vmf->vma->vm_file->f_mapping;
	ssize_t len = filemap_mkwrite_lock(vmf);
	vm_fault_t ret = VM_FAULT_LOCKED;

	if (len < 0)
		return vmf_fs_error(len);
	down_read(&mapping->invalidate_lock);
	if (foo_prepare(mapping->host, page_folio(vmf->page))) {
		folio_unlock(page_folio(vmf->page));
		ret = VM_FAULT_SIGBUS;
	} else {
		folio_mark_dirty(page_folio(vmf->page));
	}
	up_read(&mapping->invalidate_lock);
	return ret;
}

static int h41_start(struct inode *inode)
{
	void *handle = foo_journal_start(inode);

	if (!handle)
		return -ENOMEM;
	foo_journal_stop(handle);
	return 0;
}

/* 5: a journal, in a helper */
vm_fault_t bad_rank_h41_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);

	folio_lock(folio);
	if (folio->mapping != inode->i_mapping || folio_pos(folio) >= i_size_read(inode))
		goto nopage;
	if (h41_start(inode))
		goto nopage;
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
nopage:
	folio_unlock(folio);
	return VM_FAULT_NOPAGE;
}

/* 5: the time stamp under the lock, which the helper took */
vm_fault_t bad_rank_h42_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len >= 0) {
		file_update_time(vmf->vma->vm_file);
		folio_mark_dirty(page_folio(vmf->page));
	}
	sb_end_pagefault(inode->i_sb);
	return len >= 0 ? VM_FAULT_LOCKED : vmf_fs_error(len);
}

/* 5: freeze protection under the lock */
vm_fault_t bad_rank_h43_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return vmf_fs_error(len);
	sb_start_pagefault(inode->i_sb);
	folio_mark_dirty(page_folio(vmf->page));
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

/* 5: inode_lock() anywhere, here before the folio lock, by a guard */
vm_fault_t bad_rank_h44_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len;

	guard(inode_lock)(inode);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		return vmf_fs_error(len);
	folio_mark_dirty(page_folio(vmf->page));
	return VM_FAULT_LOCKED;
}

/* 5: the rwsem of the inode */
vm_fault_t bad_rank_h45_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	down_read(&inode->i_rwsem);
	ret = filemap_page_mkwrite(vmf);
	up_read(&inode->i_rwsem);
	return ret;
}

/* 6: try, and come again */
vm_fault_t bad_try_h50_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = VM_FAULT_NOPAGE;

	if (inode_trylock(inode)) {
		ret = filemap_page_mkwrite(vmf);
		inode_unlock(inode);
	}
	return ret;
}

static bool h51_try(struct inode *inode)
{
	return down_write_trylock(&inode->i_rwsem);
}

/* 6: in a helper, with a label */
vm_fault_t bad_try_h51_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;
	int err = 0;

	sb_start_pagefault(inode->i_sb);
	if (!h51_try(inode)) {
		err = -EAGAIN;
		goto out;
	}
	err = filemap_mkwrite_lock(vmf);
	if (err > 0)
		folio_mark_dirty(page_folio(vmf->page));
	inode_unlock(inode);
out:
	ret = err > 0 ? VM_FAULT_LOCKED : vmf_fs_error(err);
	sb_end_pagefault(inode->i_sb);
	return ret;
}
