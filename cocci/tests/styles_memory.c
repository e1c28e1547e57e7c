// SPDX-License-Identifier: GPL-2.0
// Freeze protection is not taken, and nothing in the file says that there is something to freeze. A comment about
// ->freeze_fs = foo_freeze or sb_start_write() does not.
#include "kernel.h"

struct super_operations { int (*freeze_fs)(struct super_block *sb); };
struct flash { bool broken; };

int flash_budget(struct flash *c, int pages);
void flash_give_back(struct flash *c, int pages);

static const struct super_operations flash_ops = {
	.freeze_fs = NULL,
};

const void *flash_super_ops(void)
{
	return &flash_ops;
}

/* a budget instead of a journal, the page dirtied by hand */
vm_fault_t ok_flash_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	struct flash *c = inode->i_private;

	if (c->broken || flash_budget(c, 1))
		return VM_FAULT_SIGBUS;
	folio_lock(folio);
	if (folio->mapping != inode->i_mapping || folio_pos(folio) >= i_size_read(inode)) {
		folio_unlock(folio);
		flash_give_back(c, 1);
		return VM_FAULT_NOPAGE;
	}
	filemap_dirty_folio(inode->i_mapping, folio);
	return VM_FAULT_LOCKED;
}

/* in memory: only counts, and sets the time */
vm_fault_t ok_memory_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);

	if (file_update_time(vmf->vma->vm_file))
		return VM_FAULT_SIGBUS;
	folio_lock(folio);
	if (folio->mapping == vmf->vma->vm_file->f_mapping &&
	    folio_pos(folio) < i_size_read(file_inode(vmf->vma->vm_file))) {
		foo_make_dirty(folio);
		return VM_FAULT_LOCKED;
	}
	folio_unlock(folio);
	return VM_FAULT_NOPAGE;
}

/* Other rules hold there, too. */
vm_fault_t bad_balance_memory_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);

	folio_lock(folio);
	if (folio->mapping != vmf->vma->vm_file->f_mapping)
		return VM_FAULT_NOPAGE;
	if (folio_pos(folio) >= i_size_read(folio->mapping->host)) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}
