// SPDX-License-Identifier: GPL-2.0
// Freeze protection is not taken, or not on every way, where there is something to freeze.
#include "kernel.h"

struct fs_context;
int get_tree_bdev(struct fs_context *fc, int (*fill)(struct super_block *sb, struct fs_context *fc));
int disk_fill_super(struct super_block *sb, struct fs_context *fc);

int disk_get_tree(struct fs_context *fc)
{
	return get_tree_bdev(fc, disk_fill_super);
}

vm_fault_t bad_freeze_disk_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return vmf_fs_error(len);
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

/* the time stamp before it */
vm_fault_t bad_freeze_disk_time_page_mkwrite(struct vm_fault *vmf)
{
	struct super_block *sb = file_inode(vmf->vma->vm_file)->i_sb;
	ssize_t len;

	file_update_time(vmf->vma->vm_file);
	sb_start_pagefault(sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0)
		folio_mark_dirty(page_folio(vmf->page));
	sb_end_pagefault(sb);
	return vmf_fs_error(len < 0 ? len : 0);
}

/* only where blocks are missing */
vm_fault_t bad_freeze_disk_some_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	bool hole = foo_map_block(inode, vmf->pgoff) == 0;
	ssize_t len;

	if (hole)
		sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0)
		folio_mark_dirty(page_folio(vmf->page));
	if (hole)
		sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(len < 0 ? len : 0);
}

vm_fault_t ok_disk_page_mkwrite(struct vm_fault *vmf)
{
	struct super_block *sb = file_inode(vmf->vma->vm_file)->i_sb;
	ssize_t len;

	sb_start_pagefault(sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0)
		folio_mark_dirty(page_folio(vmf->page));
	sb_end_pagefault(sb);
	return vmf_fs_error(len < 0 ? len : 0);
}
