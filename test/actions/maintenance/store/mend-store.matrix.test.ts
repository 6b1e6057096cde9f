import { describeMending } from '../../../support/store/mend-store-suite.ts';

describeMending(() => true);
