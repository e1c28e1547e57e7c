// SPDX-License-Identifier: GPL-2.0
// Mistakes of a held-back set, written before the judge of paths was.
#include "kernel.h"

/* 2: early return after sb_start_pagefault */
vm_fault_t bad_freeze_h20_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	file_update_time(vmf->vma->vm_file);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		return vmf_fs_error(len);
	folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

/* 2: ended twice, by the error path and by the common end */
vm_fault_t bad_freeze_h21_page_mkwrite(struct vm_fault *vmf)
{
	struct super_block *sb = file_inode(vmf->vma->vm_file)->i_sb;
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_LOCKED;
	ssize_t len;

	sb_start_pagefault(sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(sb);
		ret = vmf_fs_error(len);
		goto out;
	}
	folio_mark_dirty(folio);
out:
	sb_end_pagefault(sb);
	return ret;
}

static vm_fault_t h22_locked(struct vm_fault *vmf, struct super_block *sb)
{
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return vmf_fs_error(len);
	folio_mark_dirty(page_folio(vmf->page));
	sb_end_pagefault(sb);
	return VM_FAULT_LOCKED;
}

/* 2: a helper ends it on success only */
vm_fault_t bad_freeze_h22_page_mkwrite(struct vm_fault *vmf)
{
	struct super_block *sb = file_inode(vmf->vma->vm_file)->i_sb;

	sb_start_pagefault(sb);
	return h22_locked(vmf, sb);
}

/* 2: a wrapper starts it around a helper of another file, one path forgets */
vm_fault_t bad_freeze_h23_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;
	int err;

	sb_start_pagefault(inode->i_sb);
	err = foo_reserve_space(inode, PAGE_SIZE);
	switch (err) {
	case 0:
		break;
	case -ENOSPC:
		ret = VM_FAULT_SIGBUS;
		goto end;
	default:
		return vmf_error(err);
	}
	ret = block_page_mkwrite_return(block_page_mkwrite(vmf->vma, vmf, NULL));
end:
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* 2: started in a condition, ended always */
vm_fault_t bad_freeze_h24_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;

	if (inode->i_sb->s_flags & 1)
		sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0)
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return len > 0 ? VM_FAULT_LOCKED : vmf_fs_error(len);
}
